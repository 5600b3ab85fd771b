// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct RepeatedFieldTests {
    @Test func `a header field written twice is told, however its letters are written`() {
        let said = configurationProblems(
            """
            {credentials: {c: {source: 'http', url: 'https://h/', headers: {
            'Authorization': '${env:A}', x: '1',
            'authorization': '${env:B}'}}}}
            """)
        #expect(
            said
                == "a.json5:3:1: credentials.c.headers.authorization is the same as \"Authorization\"; delete one: upper and lower case make no difference"
        )
    }

    @Test func `the first of the two need not be right to be told`() {
        let said = configurationProblems(
            """
            {credentials: {c: {source: 'http', url: 'https://h/', headers: {
            'X-A': '${nothing}',
            'x-a': '1'}}}}
            """)
        #expect(said.contains("a.json5:3:1: credentials.c.headers[\"x-a\"] is the same as \"X-A\""), "\(said)")
    }

    @Test func `variables whose letters differ are two`() {
        #expect(
            configurationProblems("{credentials: {c: {source: 'exec', command: ['x'], environment: {a: '1', A: '2'}}}}")
                == "")
    }
}
