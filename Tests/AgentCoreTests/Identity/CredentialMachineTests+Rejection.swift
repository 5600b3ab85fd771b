// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

extension CredentialMachineTests {
    @Test func `two hundred refusals of one generation cause one renewal`() {
        var host = VirtualHost(Self.exec, source: Self.minting(3600))
        host.call()
        host.run(.seconds(30))
        for _ in 0..<200 { host.send(.rejected(generation: 1)) }
        #expect(host.snapshot?.isRejected(at: host.now) == true)
        host.run(.seconds(1))
        for _ in 0..<200 { host.send(.rejected(generation: 1)) }
        host.run(.seconds(60))
        #expect(host.asked.count == 2)
        #expect(host.snapshot?.generation == 2)
        #expect(host.snapshot?.isRejected(at: host.now) == false)
        expectSound(host)
    }

    @Test func `a refusal of the renewed token within the cooldown renews nothing, and is tried again after it`() {
        var host = VirtualHost(Self.exec, source: Self.minting(86_400))
        host.call()
        host.run(.seconds(30))
        var generation: UInt64 = 1
        // An upstream that refuses everything, a caller every second.
        for _ in 0..<7200 {
            generation = host.snapshot?.generation ?? 0
            if host.snapshot?.isRejected(at: host.now) == false { host.send(.rejected(generation: generation)) }
            host.run(.seconds(1))
        }
        // 120 s, 240 s, 480 s, 960 s, 1800 s, 1800 s…
        #expect(host.asked.count <= 9)
        #expect(host.asked.count >= 5)
        expectSound(host)
    }

    @Test func `a fetch in flight when the refusal arrives does not bring the refused token back`() {
        let box = Box("token-1")
        var host = VirtualHost(Self.exec) { _, _ in (2_000_000_000, .token(TestToken.value(box.value))) }
        host.call()
        host.run(.seconds(3))
        // Due again after about 200 s of its 300: the flight reads the old token, the refusal comes, the token changes.
        host.run(.seconds(260), callingEvery: .seconds(0.25))
        while host.snapshot?.phase != .fetching {
            host.call()
            host.run(.seconds(0.1))
        }
        let asked = host.asked.count
        host.send(.rejected(generation: 1))
        box.value = "token-2"
        host.run(.seconds(5))
        #expect(host.value == "token-2")
        #expect(host.asked.count == asked + 1)
        #expect(host.snapshot?.isRejected(at: host.now) == false)
    }

    @Test func `a first fetch that brings what was kept, and refused meanwhile, is followed by another`() {
        let box = Box("key-1")
        var spec = Self.exec
        spec.kind = .key
        spec.maxAge = .seconds(300)
        var host = VirtualHost(spec) { _, _ in (2_000_000_000, .token(TestToken.value(box.value))) }
        host.call()
        host.send(.restored(TestToken.value("key-1", expiry: .after(.seconds(600)))))
        host.send(.rejected(generation: 1))
        box.value = "key-2"
        host.run(.seconds(5))
        #expect(host.value == "key-2" && host.asked.count == 2)
        #expect(host.snapshot?.isRejected(at: host.now) == false)
    }

    @Test func `the source returns the refused token for a while`() {
        let box = Box("token-1")
        var host = VirtualHost(Self.exec) { _, _ in (10_000_000, .token(TestToken.value(box.value))) }
        host.call()
        host.run(.seconds(10))
        host.send(.rejected(generation: 1))
        host.run(.seconds(60), callingEvery: .seconds(1))
        #expect(host.snapshot?.isRejected(at: host.now) == true)
        #expect(host.snapshot?.generation == 1)
        #expect(host.asked.count <= 12)
        box.value = "token-2"
        host.run(.seconds(60), callingEvery: .seconds(1))
        #expect(host.value == "token-2")
        #expect(host.snapshot?.isRejected(at: host.now) == false)
    }

    @Test func `a refused key is read once more and then left alone until it changes`() {
        let box = Box("key-1")
        var host = VirtualHost(Self.key) { _, _ in (0, .token(TestToken.value(box.value))) }
        host.call()
        host.run(.seconds(10))
        host.send(.rejected(generation: 1))
        host.run(.seconds(100), callingEvery: .seconds(1))
        #expect(host.asked.count == 2)
        #expect(host.snapshot?.isRejected(at: host.now) == true)
        host.run(.seconds(30), callingEvery: .seconds(1))
        #expect(host.snapshot?.isRejected(at: host.now) == false)
        box.value = "key-2"
        host.send(.sourceChanged)
        host.run(.seconds(1))
        #expect(host.value == "key-2")
    }

    @Test func `a late refusal of an old generation changes nothing`() {
        var host = VirtualHost(Self.exec, source: Self.minting(60))
        host.run(.seconds(200), callingEvery: .seconds(1))
        let (asked, before) = (host.asked.count, host.snapshot?.generation)
        host.send(.rejected(generation: 1))
        host.send(.rejected(generation: 99))
        host.run(.seconds(0.5))
        #expect(host.asked.count == asked)
        #expect(host.snapshot?.generation == before)
        #expect(host.snapshot?.isRejected(at: host.now) == false)
    }

    @Test func `a refusal while the issuer fails does not break the back-off`() {
        let mint = Self.minting(3600)
        var host = VirtualHost(Self.exec) { count, now in
            count == 1 ? mint(count, now) : (0, .failure(Self.refused))
        }
        host.call()
        host.run(.seconds(10))
        for _ in 0..<600 {
            host.send(.rejected(generation: 1))
            host.run(.seconds(1))
        }
        #expect(host.asked.count <= 45)
        #expect(host.isUsable)
        expectSound(host)
    }
}
