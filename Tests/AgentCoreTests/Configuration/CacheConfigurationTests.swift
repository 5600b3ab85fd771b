// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct CacheConfigurationTests {
    @Test(arguments: [("", false), (", cache: 'none'", false), (", cache: 'state'", true)])
    func `a value is kept where the configuration says so`(_ key: String, _ isKept: Bool) throws {
        let configuration = try readConfiguration("{credentials: {c: {source: 'exec', command: ['x']\(key)}}}")
        #expect(configuration.credentials["c"]?.isKept == isKept)
    }

    @Test func `another word is told with those there are`() {
        let problems = configurationProblems("{credentials: {c: {source: 'exec', command: ['x'], cache: 'disk'}}}")
        #expect(problems.contains("credentials.c.cache is \"disk\"") && problems.contains("\"state\""), "\(problems)")
    }

    @Test(arguments: [
        "source: 'file', path: '/x'", "source: 'env', name: 'X'", "source: 'systemd-credential', name: 'x'",
    ])
    func `what lies on this host is not kept a second time`(_ source: String) {
        let problems = configurationProblems("{credentials: {c: {\(source), cache: 'state'}}}")
        #expect(problems.contains("which is read anew at every start; remove it"), "\(problems)")
    }
}
