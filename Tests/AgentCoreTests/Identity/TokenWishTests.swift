// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What a caller of the token endpoint gets, over the whole loop on the virtual clock.
@Suite struct TokenWishTests {
    typealias Machine = CredentialMachineTests

    /// One caller, from its question to its answer.
    ///
    /// - Returns: the answer, and how long it took.
    func ask(
        _ host: inout VirtualHost, life: Int64, within wait: Int64 = .seconds(15)
    ) -> (TokenWish.Decision, waited: Int64) {
        let begin = host.boot
        var wish = TokenWish(life: life, bound: begin + wait)
        while true {
            guard let snapshot = host.snapshot else { return (.serve, -1) }
            let decision = wish.decide(snapshot, at: host.now)
            guard case .wait(let demands) = decision else { return (decision, host.boot - begin) }
            if demands {
                host.send(.demand(life: life))
                // A publication comes at once where the engine begins something.
                continue
            }
            host.run(.seconds(0.01))
        }
    }

    func refusal(_ decision: TokenWish.Decision) -> (code: String, message: String, retryAt: Int64?)? {
        if case .refuse(let code, let message, let retryAt) = decision { (code, message, retryAt) } else { nil }
    }

    @Test func `a cold credential is fetched once and served`() {
        var host = VirtualHost(Machine.exec, source: Machine.minting(3600))
        let (decision, waited) = ask(&host, life: .seconds(300))
        #expect(decision == .serve)
        #expect(waited <= .seconds(0.1) && host.asked.count == 1)
    }

    @Test func `more life than the source gives is refused after the one mint it caused, and then at once`() throws {
        var host = VirtualHost(Machine.exec, source: Machine.minting(3600))
        let cold = ask(&host, life: .seconds(7200))
        let words = try #require(refusal(cold.0))
        #expect(words.code == "short-life" && words.retryAt == nil)
        #expect(
            words.message == "2 h of life were asked for, and the source of token gives tokens with 59 min; "
                + "ask for less, or have the issuer give longer ones")
        #expect(cold.waited <= .seconds(0.1) && host.asked.count == 1)
        for _ in 0..<100 {
            let warm = ask(&host, life: .seconds(7200))
            #expect(refusal(warm.0) != nil && warm.waited == 0)
            host.run(.seconds(10))
        }
        #expect(host.asked.count == 1)
    }

    @Test func `a shorter life than asked for is renewed once, and the new one is served`() {
        var host = VirtualHost(Machine.exec, source: Machine.minting(3600))
        _ = ask(&host, life: 0)
        host.run(.seconds(1200))
        #expect(ask(&host, life: .seconds(3000)).0 == .serve)
        #expect(host.asked.count == 2)
    }

    @Test func `a wish that cannot be fulfilled does not take the place of one that can`() {
        var host = VirtualHost(Machine.exec, source: Machine.minting(3600))
        _ = ask(&host, life: 0)
        host.run(.seconds(170))
        // The floor of 180 s is not over yet.
        host.send(.demand(life: .seconds(3500)))
        host.send(.demand(life: .seconds(7200)))
        host.run(.seconds(11))
        #expect(host.asked.count == 2)
    }

    @Test func `a wish before the floor between mints is refused with the moment, or waits if it is near`() throws {
        var host = VirtualHost(Machine.exec, source: Machine.minting(3600))
        _ = ask(&host, life: 0)
        host.run(.seconds(100))
        let early = ask(&host, life: .seconds(3550))
        let words = try #require(refusal(early.0))
        #expect(early.waited == 0)
        #expect(words.message.contains("token has 58 min left; it is renewed in 79 s; ask again then, or for less"))
        #expect((words.retryAt ?? 0) > host.boot)
        host.run(.seconds(70))
        let (decision, waited) = ask(&host, life: .seconds(3550))
        #expect(decision == .serve && waited > 0 && waited < .seconds(15))
        #expect(host.asked.count == 2)
    }

    @Test func `a renewal that fails answers the wish at once with its reason`() throws {
        let mint = Machine.minting(3600)
        var host = VirtualHost(Machine.exec) { count, now in
            count == 1 ? mint(count, now) : (1_000_000, .failure(Machine.refused))
        }
        _ = ask(&host, life: 0)
        host.run(.seconds(1200))
        let (decision, waited) = ask(&host, life: .seconds(3000))
        let words = try #require(refusal(decision))
        #expect(words.message.hasSuffix("its renewal fails: the issuer answered 500"))
        #expect(waited <= .seconds(0.1) && host.asked.count == 2)
        #expect(ask(&host, life: .seconds(600)).0 == .serve, "what is held serves those who ask for less")
    }

    @Test func `nothing held and a source that is left alone is refused at once, with when it is asked next`() throws {
        var host = VirtualHost(Machine.exec) { _, _ in (0, .failure(Machine.refused)) }
        host.run(.seconds(600), callingEvery: .seconds(1))
        host.source = { _, _ in (0, .failure(CredentialFailure(.refused, "no", retryAfter: .seconds(100)))) }
        while host.snapshot?.failure?.retryAfter == nil { host.run(.seconds(1)) }
        let (decision, waited) = ask(&host, life: 0)
        let words = try #require(refusal(decision))
        #expect(words.code == "no-credential" && words.message == "token: no" && waited == 0)
        #expect((words.retryAt ?? 0) > host.boot + .seconds(90))
    }

    @Test func `a caller in the mandatory window waits for the renewal, and gets what is held if it fails`() {
        var host = VirtualHost(Machine.exec, source: Machine.minting(300))
        _ = ask(&host, life: 0)
        // The same token again is asked for again before its end, the last time within the mandatory window.
        let same = host.value ?? ""
        host.source = { _, _ in (.seconds(2), .token(TestToken.value(same))) }
        while host.snapshot?.isMandatory(at: host.now) == false || host.snapshot?.phase != .fetching {
            host.run(.seconds(0.5), callingEvery: .seconds(0.5))
            if !host.isUsable { break }
        }
        let (decision, waited) = ask(&host, life: 0)
        #expect(decision == .serve && waited > 0 && waited <= .seconds(2.1))
    }

    @Test func `a source that hangs keeps a caller no longer than the bound`() throws {
        var host = VirtualHost(Machine.exec) { _, _ in (0, .hang) }
        let (decision, waited) = ask(&host, life: 0)
        #expect(refusal(decision)?.code == "no-credential")
        #expect(waited == .seconds(15))
    }

    /// A reload begins to count anew, and what the former source would have answered never comes.
    @Test func `a wish goes to the source that a reload has put in its place`() throws {
        let host = VirtualHost(Machine.exec, source: Machine.minting(3600))
        var before = try #require(host.snapshot)
        before.lineage = 1
        var wish = TokenWish(life: 0, bound: host.boot + .seconds(15))
        #expect(wish.decide(before, at: host.now) == .wait(demands: true))
        #expect(wish.decide(before, at: host.now) == .wait(demands: false))
        var after = before
        after.lineage = 2
        #expect(wish.decide(after, at: host.now) == .wait(demands: true))
        #expect(wish.decide(after, at: host.now) == .wait(demands: false))
    }
}
