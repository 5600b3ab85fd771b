// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// Where a line ends, as JSON5 has it: what Foundation reads as a new line must not be a comment here.
@Suite struct LineEndTests {
    static let settings = "credentials: {a: {source: 'env', name: 'A'}}"

    static let texts: [ProblemCase] = [
        ProblemCase(
            "{ threads: 1, // c\r threads: 2,\n \(settings) }",
            "2:2: threads is written twice, first in line 1; delete one"),
        ProblemCase("// leading\r{\r  \(settings)\r}\r"),
        ProblemCase("// leading\r{\r  \(settings),\r  threads: 0}", "4:12: threads is 0; write a number from 1 to 256"),
        ProblemCase(
            "// leading\r\n{\r\n  \(settings),\r\n  threads: 0}", "4:12: threads is 0; write a number from 1 to 256"),
        ProblemCase("/* a\r b */ {\r\(settings), threads: 0}", "3:56: threads is 0; write a number from 1 to 256"),
        ProblemCase(
            "{ threads: 1, // c\u{2028} threads: 2,\n \(settings) }",
            "1:19: a line separator (U+2028) stands here; write a line break"),
        ProblemCase(
            "{ threads: 1, // c\u{2029} threads: 2,\n \(settings) }",
            "1:19: a line separator (U+2029) stands here; write a line break"),
        ProblemCase("{ // c \u{2027} \u{20AC}\n \(settings) }"),
        ProblemCase(
            "{credentials: {a: {source: 'file', path: '/x\\u0000y'}}}",
            "1:45: a NUL character stands in a string; delete it"),
        ProblemCase("{'a\\u0000': 1}", "1:4: a NUL character stands in a string; delete it"),
    ]

    @Test(arguments: texts)
    func `a line ends where JSON5 ends it`(text: ProblemCase) {
        let said = configurationProblems(text.text).split(separator: "\n").map(String.init)
        #expect(said == text.problems.map { "a.json5:\($0)" })
    }
}
