// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

extension CredentialMachineTests {
    @Test(arguments: [1.0, 300, 3600, 34_560_000, -1, -300, -3600, -34_560_000])
    func `a step of the wall clock sends no expired token and starts no storm`(_ step: Double) {
        let box = Box(VirtualHost.epoch)
        // The issuer's clock is right all the time.
        var host = VirtualHost(Self.exec) { count, now in
            let wall = Double((box.value + now.boot) / 1_000_000) / 1000
            return (
                50_000_000, .token(TestToken.value(TestToken.jwt(issued: wall, expires: wall + 300, serial: count)))
            )
        }
        host.run(.seconds(600), callingEvery: .seconds(1))
        let before = host.asked.count
        host.stepWall(by: .seconds(step))
        host.run(.seconds(600), callingEvery: .seconds(1))
        #expect(host.asked.count - before <= 40)
        host.stepWall(by: -.seconds(step))
        host.run(.seconds(3), callingEvery: .seconds(1))
        #expect(host.isUsable, "a right clock is enough")
        expectSound(host)
    }

    @Test func `a clock set again every tenth of a second starts no storm`() {
        var host = VirtualHost(Self.exec, source: Self.minting(300))
        host.call()
        for step in 0..<6000 {
            host.stepWall(by: .seconds(step.isMultiple(of: 2) ? 3600 : -3600))
            host.call()
            host.run(.seconds(0.1))
        }
        #expect(host.asked.count <= 610)
        expectSound(host)
    }

    @Test(arguments: [true, false])
    func `a host that starts in 1970 has a token, and keeps one when its clock is set`(_ told: Bool) {
        var host = VirtualHost(Self.exec, wall: .seconds(40)) { count, now in
            let wall = Double((VirtualHost.epoch + now.boot) / 1_000_000) / 1000
            return (
                50_000_000, .token(TestToken.value(TestToken.jwt(issued: wall, expires: wall + 300, serial: count)))
            )
        }
        host.call()
        host.run(.seconds(1))
        #expect(host.isUsable)
        #expect(
            host.changes.contains {
                if case .skew(let skew) = $0 { (skew?.offset ?? 0) < -.seconds(1e9) } else { false }
            })
        let first = host.run(.seconds(2000), callingEvery: .seconds(1))
        host.stepWall(by: VirtualHost.epoch - .seconds(40), told: told)
        let second = host.run(.seconds(2000), callingEvery: .seconds(1))
        #expect(first == 0 && second == 0)
        #expect(host.snapshot?.skew == nil)
        #expect(host.asked.count <= 4000 / 200 + 5)
        expectSound(host)
    }

    @Test func `a host in 1970 without iat in its tokens recovers when its clock is set`() {
        var host = VirtualHost(Self.exec, wall: 0) { count, now in
            let wall = Double((VirtualHost.epoch + now.boot) / 1_000_000) / 1000
            return (50_000_000, .token(TestToken.value(TestToken.jwt(expires: wall + 300, serial: count))))
        }
        host.call()
        host.run(.seconds(1000), callingEvery: .seconds(1))
        host.stepWall(by: VirtualHost.epoch)
        host.run(.seconds(2.5), callingEvery: .seconds(0.5))
        #expect(host.isUsable)
        let unserved = host.run(.seconds(2000), callingEvery: .seconds(1))
        #expect(unserved == 0)
        expectSound(host)
    }

    @Test func `after a step back the same token again does not live longer`() {
        let token = TestToken.jwt(expires: 1_795_248_000 + 300)
        var host = VirtualHost(Self.exec) { _, _ in (0, .token(TestToken.value(token))) }
        host.call()
        host.run(.seconds(100))
        host.stepWall(by: -.seconds(3600))
        host.run(.seconds(300), callingEvery: .seconds(1))
        #expect(!host.isUsable)
    }
}
