// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct TokenQueryTests {
    @Test(
        arguments: [
            ("", 0, false), ("?", 0, false), ("?min-life=60", 60, false), ("?format=json&min-life=5", 5, true),
            ("?format=plain", 0, false), ("?&min-life=0&", 0, false),
        ] as [(String, Int64, Bool)])
    func `a life and a format are read`(_ text: String, _ seconds: Int64, _ isJSON: Bool) throws {
        let query = try TokenQuery(text)
        #expect(query.life == seconds * 1_000_000_000 && query.isJSON == isJSON)
    }

    @Test(arguments: [
        ("?format=xml", "unknown-query", "format=xml is not known here"),
        ("?minlife=60", "unknown-query", "minlife=60 is not known here; there are min-life=SECONDS, format=plain"),
        ("?min-life", "min-life", "write whole seconds"), ("?min-life=5m", "min-life", "min-life=5m does not fit"),
        ("?min-life=2592001", "min-life", "does not fit"), ("?json", "unknown-query", "json is not known here"),
    ])
    func `what is not known is refused by name`(_ text: String, _ code: String, _ words: String) {
        let error = #expect(throws: ErrorAnswer.self) { try TokenQuery(text) }
        #expect(error?.status == 400 && error?.code == code)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
