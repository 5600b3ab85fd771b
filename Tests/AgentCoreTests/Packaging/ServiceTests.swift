// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct IdleWatchTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `an agent that nobody calls ends at the limit`() {
        var watch = IdleWatch()
        let limit = 8 * Self.second
        #expect(watch.look(open: 0, accepted: 3, limit: limit, at: 0) == 2 * Self.second)
        #expect(watch.look(open: 0, accepted: 3, limit: limit, at: 7 * Self.second) == limit)
        #expect(watch.look(open: 0, accepted: 3, limit: limit, at: limit) == nil)
    }

    @Test func `a stream, or a call that came and went between two looks, begins the time anew`() {
        var watch = IdleWatch()
        let limit = 4 * Self.second
        _ = watch.look(open: 0, accepted: 0, limit: limit, at: 0)
        #expect(watch.look(open: 1, accepted: 1, limit: limit, at: limit) != nil)
        #expect(watch.look(open: 0, accepted: 2, limit: limit, at: 2 * limit - 1) != nil)
        #expect(watch.look(open: 0, accepted: 2, limit: limit, at: 3 * limit - 2) != nil)
        #expect(watch.look(open: 0, accepted: 2, limit: limit, at: 3 * limit - 1) == nil)
    }
}

@Suite struct JournalEntryTests {
    @Test(arguments: [("listeners", "GATEWAY_LISTENERS"), ("needsRestart", "GATEWAY_NEEDS_RESTART")])
    func `a field has one name in the journal`(key: String, name: String) {
        #expect(
            key == "listeners"
                ? JournalEntry.name(of: "listeners") == name : JournalEntry.name(of: "needsRestart") == name)
    }

    @Test func `a moment of life carries its number, its word and its fields`() {
        let entry = JournalEntry(
            .warning, LifeEvent.callsCut.message, ["connections": 3, "why": "a \"word\""], as: .callsCut)
        #expect(entry.priority == .warning)
        #expect(entry.messageID == LifeEvent.callsCut.messageID)
        #expect(
            entry.message == "calls still under way at the drain limit are cut connections=3 why=\"a \\\"word\\\"\"")
        #expect(
            entry.fields == [
                JournalEntry.Field(name: "GATEWAY_EVENT", value: "calls-cut"),
                JournalEntry.Field(name: "GATEWAY_CONNECTIONS", value: "3"),
                JournalEntry.Field(name: "GATEWAY_WHY", value: "a \"word\""),
            ])
    }
}
