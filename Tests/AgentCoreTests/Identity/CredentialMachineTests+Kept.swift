// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

extension CredentialMachineTests {
    @Test func `a kept value is served at once, and the source is asked when it is due`() {
        var host = VirtualHost(Self.exec, source: Self.minting(3600))
        host.send(.restored(TestToken.value("kept", expiry: .after(.seconds(600)))))
        #expect(host.value == "kept" && host.isUsable)
        #expect(host.asked.isEmpty)
        let unserved = host.run(.seconds(700), callingEvery: .seconds(1))
        #expect(unserved == 0)
        #expect(host.asked.count == 1)
        #expect(host.asked.allSatisfy { $0 >= .seconds(400) && $0 < .seconds(600) })
        expectSound(host)
    }

    @Test func `a kept value that has ended is not taken`() {
        var host = VirtualHost(Self.exec, source: Self.minting(3600))
        host.send(.restored(TestToken.value("kept", expiry: .after(0))))
        host.send(.restored(TestToken.value(TestToken.jwt(expires: 1_795_248_000 - 1))))
        #expect(!host.isUsable && host.value == nil)
    }

    @Test func `a kept value that comes after the source's answer is not taken`() {
        var host = VirtualHost(Self.exec, source: Self.minting(3600))
        host.call()
        host.run(.seconds(1))
        let value = host.value
        host.send(.restored(TestToken.value("kept", expiry: .after(.seconds(9000)))))
        #expect(host.value == value)
        #expect(host.snapshot?.generation == 1)
    }

    @Test func `a kept value that comes during the first fetch serves until the answer`() {
        var host = VirtualHost(Self.exec, source: Self.minting(3600))
        host.call()
        host.send(.restored(TestToken.value("kept", expiry: .after(.seconds(60)))))
        #expect(host.isUsable && host.snapshot?.phase == .fetching)
        host.run(.seconds(1))
        #expect(host.snapshot?.generation == 2)
        #expect(host.asked.count == 1)
        expectSound(host)
    }

    @Test func `a kept value that the source prolongs serves on`() {
        let end = VirtualHost.epoch + .seconds(3600)
        var host = VirtualHost(Self.exec) { _, _ in (0, .token(TestToken.value("session", expiry: .at(end)))) }
        host.send(.restored(TestToken.value("session", expiry: .after(.seconds(600)))))
        let unserved = host.run(.seconds(3000), callingEvery: .seconds(1))
        #expect(unserved == 0)
        #expect(host.value == "session" && host.isUsable)
        expectSound(host)
    }
}
