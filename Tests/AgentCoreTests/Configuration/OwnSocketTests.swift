// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct OwnSocketTests {
    private func problems(_ upstream: String, listen: String) -> String {
        configurationProblems(
            "{\(listen)credentials: {a: {source: 'env', name: 'A'}}, routes: {\n'/r/': {upstream: '\(upstream)', chain: ['a']}}}"
        )
    }

    @Test(arguments: [
        ("unix:/run/x/own.sock", "listen: {unix: '/run/x/own.sock'}, "),
        ("unix:/run/x/own.sock:/v1", "listen: {unix: '/run/x/own.sock'}, "),
        ("unix:/run//x/./own.sock", "listen: {unix: '/run/x/own.sock'}, "),
        ("unix:/run/gateway-agent/agent.sock", ""),
    ])
    func `a route to the agent's own socket is refused`(upstream: String, listen: String) {
        #expect(
            problems(upstream, listen: listen)
                == "a.json5:2:19: routes[\"/r/\"].upstream is the socket of this agent itself; write the address of the gateway behind it"
        )
    }

    @Test(arguments: [
        ("unix:/run/x/other.sock", "listen: {unix: '/run/x/own.sock'}, "),
        ("unix:/run/gateway-agent/agent.sock", "listen: {tcp: '127.0.0.1:4748'}, "),
    ])
    func `a route to another socket is not`(upstream: String, listen: String) {
        #expect(problems(upstream, listen: listen) == "")
    }
}
