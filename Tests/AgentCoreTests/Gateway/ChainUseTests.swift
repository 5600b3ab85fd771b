// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct ChainUseTests {
    private func use(_ link: Int?, _ why: Chain.Reason?, route: String = "/a/", injection: Int = 0) -> ChainUse {
        ChainUse(
            route: route, injection: injection, names: ["oidc", "key"], link: link, why: why,
            cause: "the issuer is gone")
    }

    private func told(_ uses: [ChainUse]) -> [Bool] {
        var board = ChainBoard()
        return uses.map { board.record($0) }
    }

    @Test func `a change is told once, whichever loop sees it first`() {
        let first = use(0, .preferred)
        let second = use(1, .unavailable)
        #expect(
            told([first, first, first, second, second, use(nil, nil), first]) == [
                true, false, false, true, false, true, true,
            ])
    }

    @Test func `routes and injections are told apart`() {
        let uses = [
            use(0, .preferred), use(0, .preferred, route: "/b/"), use(0, .preferred, injection: 1), use(0, .preferred),
        ]
        #expect(told(uses) == [true, true, true, false])
    }

    @Test(arguments: [
        (0, Chain.Reason.preferred, "calls use oidc, the first of the chain"),
        (1, .unavailable, "calls fall back to key, since what stands before it cannot be had"),
        (1, .rejected, "calls fall back to key, since the upstream rejected what stands before it"),
        (0, .lastResort, "calls still use oidc, which the upstream rejected, since there is nothing better"),
    ])
    func `each change is a sentence`(_ link: Int, _ why: Chain.Reason, _ sentence: String) {
        #expect(use(link, why).message == sentence)
        #expect(use(link, why).isWarning == (why != .preferred))
    }

    @Test func `no usable link is a sentence too`() {
        #expect(use(nil, nil).message == "calls get 503, since no credential of the chain can be used")
        #expect(use(nil, nil).isWarning)
    }

    /// What the status shows of a chain of a token and a key, through the token's life.
    @Test func `the standing is what the next call would get`() throws {
        let spec = RouteSpec.test("/a/", port: 1)
        let plan = try GatewayPlan(
            .init(routes: [spec], credentialNames: ["key", "token"], allow: AllowSpec()), agentUID: 0)
        let injection = try #require(plan.routes.first?.injections.first)
        var token = VirtualHost(CredentialSpec(name: "token", source: CredentialMachineTests.exec.source)) { _, _ in
            (Duration.seconds(1).nanoseconds, .failure(CredentialMachineTests.refused))
        }
        var key = VirtualHost(CredentialMachineTests.key) { _, _ in (0, .token(TestToken.value("k"))) }
        func standing() -> ChainStanding {
            injection.standing(
                [key.snapshot, token.snapshot].compactMap(\.self), wait: .seconds(10), at: token.now)
        }
        func links() -> [Bool] {
            plan.chainLinks([key.snapshot, token.snapshot].compactMap(\.self), at: token.now).map(\.isInUse)
        }
        #expect(standing() == .asks(link: 0), "nobody has asked yet: that is no fall back")
        #expect(links() == [false, false])
        token.call()
        #expect(standing() == .asks(link: 0))
        token.run(.seconds(1.5))
        #expect(standing() == .asks(link: 1))
        key.call()
        key.run(.seconds(1.5))
        #expect(standing() == .use(link: 1, why: .unavailable))
        #expect(links() == [false, true])
        token.source = CredentialMachineTests.minting(300)
        token.run(.seconds(70))
        key.run(.seconds(70))
        #expect(standing() == .use(link: 0, why: .preferred))
        #expect(links() == [true, false])
    }
}
