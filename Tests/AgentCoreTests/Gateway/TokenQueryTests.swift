// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

struct TokenQueryTests {
    static let understood: [(String, Int64, Bool)] = [
        ("", 0, false), ("?", 0, false), ("?format=json", 0, true), ("?min-life=0", 0, false),
        ("?min-life=2592000", 2_592_000, false), ("?min-life=60&format=json", 60, true),
        ("?format=json&min-life=007", 7, true), ("?min-life=5&min-life=9", 5, false), ("?&&format=json&", 0, true),
        ("?format=plain&min-life=3", 3, false),
    ]

    @Test(arguments: understood)
    func `a query says how much life is asked for, and in which form`(
        _ query: String, seconds: Int64, asJSON: Bool
    ) throws {
        let read = try TokenQuery(query.utf8.span)
        #expect(read.life == seconds * 1_000_000_000 && read.asJSON == asJSON)
    }

    @Test(arguments: ["", "-1", "+1", "1.5", "2592001", "99999999999999999999999", "6O", "60 "])
    func `a life that is no number of seconds is refused, with what to write`(_ life: String) {
        let error = #expect(throws: ErrorAnswer.self) { try TokenQuery("?min-life=\(life)&format=json".utf8.span) }
        #expect(error?.status == 400 && error?.message.contains("whole seconds, from 0 to 2592000") == true)
    }

    @Test(arguments: ["format=xml", "format=jsonl", "minlife=60", "xmin-life=3", "json", "min-life", "format"])
    func `a word that is not known is refused, with those that are`(_ word: String) {
        let error = #expect(throws: ErrorAnswer.self) { try TokenQuery("?min-life=5&\(word)".utf8.span) }
        #expect(error?.status == 400 && error?.code == "unknown-query")
        #expect(
            error?.message == "\(word) is not known here; there are min-life=SECONDS, format=plain and format=json")
    }

    @Test func `each name of a thousand is found by its bytes, and no other`() {
        let names = (0..<1000).map { "name-\($0)" }
        let index = NameIndex(names)
        for (place, name) in names.enumerated() { #expect(index[name.utf8.span] == place) }
        for name in ["", "name-", "name-1000", "NAME-1"] { #expect(index[name.utf8.span] == nil) }
        #expect(NameIndex([])["".utf8.span] == nil)
    }
}
