// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite
struct PortReservationTests {
    @Test func `a reserved port refuses callers, and is listened on again and again`() throws {
        let any = try #require(SocketAddress(ip: "127.0.0.1", port: 0))
        let reservation = try PortReservation(any)
        let address = reservation.address
        #expect(address.port != 0)
        for _ in 0..<2 {
            #expect(Self.connects(to: address) == ECONNREFUSED)
            let listener = try reservation.listen()
            #expect(listener.address == address)
            #expect(Self.connects(to: address) == 0)
            // A close alone ends nothing while a child that another test is about to start holds the descriptor.
            listener.refuseCallers()
        }
    }

    /// The error number of a connect(2) that is waited for; 0 is well.
    private static func connects(to address: SocketAddress) -> Int32 {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(raw) }
        return unsafe address.withSockaddr { unsafe connect(raw, $0, $1) } == 0 ? 0 : errno
    }
}
