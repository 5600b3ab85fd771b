// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct DialerTests {
    private static func dial(_ endpoint: Endpoint) async throws -> Result<Bool, DialFailure> {
        try await LoopActor.with { _, loop, parker in
            let dialer = Dialer(loop: loop, parker: parker, deadline: loop.now + 10_000_000_000, isWanted: { true })
            do throws(DialFailure) {
                let channel = try await dialer.dial(endpoint)
                channel.close()
                return .success(true)
            } catch {
                return .failure(error)
            }
        }
    }

    @Test func `a name that leads to a listener connects`() async throws {
        let listener = try ListeningSocket(tcp: #require(SocketAddress(ip: "127.0.0.1", port: 0)))
        let result = try await Self.dial(.host("localhost", port: #require(listener.address.port)))
        #expect(try result.get())
    }

    @Test func `a port where nobody listens is refused with its address`() async throws {
        let reservation = try PortReservation(#require(SocketAddress(ip: "127.0.0.1", port: 0)))
        let port = try #require(reservation.address.port)
        let result = try await Self.dial(.host("127.0.0.1", port: port))
        withExtendedLifetime(reservation) {}
        #expect(throws: DialFailure.self) { try result.get() }
        guard case .failure(let failure) = result else { return }
        #expect(failure.description == "cannot connect to 127.0.0.1:\(port): Connection refused")
    }

    @Test func `a name that does not exist says so`() async throws {
        let result = try await Self.dial(.host("does-not-exist.invalid", port: 443))
        guard case .failure(.unresolved(let failure)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(failure.description.hasPrefix("host name \"does-not-exist.invalid\" does not resolve: "))
    }

    @Test func `a connection that nobody wants any more is given up`() async throws {
        let isAbandoned = try await LoopActor.with { _, loop, parker in
            let dialer = Dialer(loop: loop, parker: parker, deadline: .max, isWanted: { false })
            do throws(DialFailure) {
                _ = try await dialer.dial(.host("localhost", port: 1))
                return false
            } catch {
                guard case .abandoned = error else { return false }
                return true
            }
        }
        #expect(isAbandoned)
    }

    @Test func `families take turns, the resolver's first family beginning`() throws {
        let addresses = try [("::1", 1), ("::2", 1), ("127.0.0.1", 1), ("127.0.0.2", 1), ("::3", 1)].map {
            try #require(SocketAddress(ip: $0.0, port: $0.1))
        }
        var eyeballs = HappyEyeballs(addresses)
        var order: [String] = []
        while case .attempt(let address) = eyeballs.step(at: 0) {
            order.append(address.description)
            eyeballs.attemptFailed()
        }
        #expect(order == ["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"])
    }

    @Test func `a slow attempt gets company after the delay, a failed one at once`() throws {
        let addresses = try ["::1", "127.0.0.1", "127.0.0.2"].map { try #require(SocketAddress(ip: $0, port: 9)) }
        var eyeballs = HappyEyeballs(addresses)
        guard case .attempt = eyeballs.step(at: 0) else { return #expect(Bool(false)) }
        guard case .wait(until: HappyEyeballs.attemptDelay) = eyeballs.step(at: 1) else { return #expect(Bool(false)) }
        guard case .attempt = eyeballs.step(at: HappyEyeballs.attemptDelay) else { return #expect(Bool(false)) }
        eyeballs.attemptFailed()
        guard case .attempt = eyeballs.step(at: HappyEyeballs.attemptDelay + 1) else { return #expect(Bool(false)) }
        guard case .wait(until: nil) = eyeballs.step(at: .max) else { return #expect(Bool(false)) }
        eyeballs.attemptFailed()
        eyeballs.attemptFailed()
        guard case .exhausted = eyeballs.step(at: .max) else { return #expect(Bool(false)) }
    }
}
