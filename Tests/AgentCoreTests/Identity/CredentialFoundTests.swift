// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What random lives have found, shrunk to what does it. Each broke an invariant before the machine was mended.
@Suite struct CredentialFoundTests {
    /// The token has no `iat`, and came while the clock was behind: it seemed to live long, and the source, which had
    /// nothing better then, was left alone for as long. The clock was set right, the token had ended, and nobody asked.
    @Test(arguments: [
        LifeScript(
            prefetch: true, replies: [.init(delay: 0, token: .untold)],
            events: [.step(-976, told: true), .pass(449_902)], seed: 2114),
        LifeScript(
            replies: [.init(delay: 0, token: .untold)],
            events: [
                .step(-976, told: true), .call, .pass(1), .reject(late: false), .suspend(337, told: false), .pass(1),
            ],
            seed: 1283),
        LifeScript(
            life: 1, replies: [.init(delay: 50, token: .fresh), .init(delay: 0, token: .untold)],
            events: [
                .call, .pass(50), .step(-900, told: false), .reject(late: false), .pass(97), .sourceChanged, .pass(53),
            ], seed: 1936),
        LifeScript(
            replies: [.init(delay: 0, token: .untold), .init(delay: 0, token: .same)],
            events: [.step(-7812, told: true), .call, .pass(449_935), .reject(late: false), .pass(1)], seed: 1069),
    ])
    func `a clock that is set ends the rest of a source as well as the value`(_ script: LifeScript) {
        #expect(script.run() == [])
    }

    /// The value ended before the rest of its source, and the question then came before the moment that was shown.
    @Test func `the moment shown for the next question is no later than the end of the value`() {
        let script = LifeScript(
            life: 5,
            replies: [
                .init(delay: 50, token: .fresh), .init(delay: 0, token: .fresh), .init(delay: 0, token: .untold),
            ],
            events: [.step(-122, told: true), .reject(late: false), .pass(7422), .call, .pass(4002)], seed: 1237)
        #expect(script.run() == [])
    }

    /// A step of the clock took the next value past its end; it took the place of one that was still good.
    @Test(arguments: [
        LifeScript(
            replies: [.init(delay: 0, token: .constant), .init(delay: 0, token: .begins(400))],
            events: [.reject(late: false), .sourceChanged, .pass(100), .step(900, told: false), .call], seed: 518),
        LifeScript(
            replies: [.init(delay: 0, token: .constant), .init(delay: 0, token: .begins(400))],
            events: [.wish(0), .reject(late: false), .pass(1), .step(900, told: true)], seed: 1088),
    ])
    func `a value that ended before it began takes the place of none`(_ script: LifeScript) {
        #expect(script.run() == [])
    }

    /// A token was compared with the one that had yet to begin alone, and took the place of the longer one that served.
    @Test func `the value that serves gives way to a longer one only, whatever waits behind it`() {
        let script = LifeScript(
            life: 900,
            replies: [
                .init(delay: 0, token: .fresh), .init(delay: 0, token: .begins(400)), .init(delay: 0, token: .endless),
            ], events: [.call, .sourceChanged, .pass(209), .sourceChanged], seed: 2362)
        #expect(script.run() == [])
    }

    /// The newest generation is that of a value that has yet to begin; the one that is sent is older.
    @Test func `a refusal of the value that serves is told of that value`() {
        var host = VirtualHost(CredentialMachineTests.exec, source: CredentialMachineTests.minting(300))
        host.call()
        host.run(.seconds(1))
        host.source = { count, now in
            let wall = Double(now.wall / 1_000_000_000)
            let token = TestToken.jwt(issued: wall, notBefore: wall + 100, expires: wall + 400, serial: count)
            return (0, .token(TestToken.value(token)))
        }
        host.send(.sourceChanged)
        host.run(.seconds(1))
        #expect(host.snapshot?.generation == 2 && host.snapshot?.credential?.generation == 1)
        host.send(.rejected(generation: 2))
        #expect(host.snapshot?.isRejected(at: host.now) == false)
        host.send(.rejected(generation: 1))
        #expect(host.snapshot?.isRejected(at: host.now) == true)
        #expect(host.changes.last == .rejected(generation: 1, renews: true))
    }

    /// Told by its steps, for whoever reads the scripts above.
    @Test func `after a correction of the clock an ended token is asked for within two seconds`() {
        var host = VirtualHost(CredentialMachineTests.exec, wall: VirtualHost.epoch - .seconds(976)) { count, now in
            // The true time; the token does not say when it was issued.
            let wall = Double((count == 1 ? VirtualHost.epoch : VirtualHost.epoch + .seconds(450)) / 1_000_000_000)
            return (0, .token(TestToken.value(TestToken.jwt(expires: wall + 300, serial: count == 1 ? 1 : 2))))
        }
        host.call()
        host.run(.seconds(449))
        let same = host.value ?? ""
        host.source = { _, _ in (0, .token(TestToken.value(same))) }
        host.send(.sourceChanged)
        host.run(.seconds(1))
        #expect(host.snapshot?.failure?.kind == .unchanged)
        host.source = CredentialMachineTests.minting(300)
        host.stepWall(by: .seconds(976))
        #expect(!host.isUsable)
        host.call()
        host.run(.seconds(2.1))
        #expect(host.isUsable)
    }
}
