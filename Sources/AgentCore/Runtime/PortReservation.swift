// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// Keeps a TCP port for one server that comes and goes: while it does not listen, callers are refused, and nobody else
/// can be given the port.
///
/// The socket of the reservation is bound and never listens. Both it and the listening one set SO_REUSEADDR, so that
/// they may share the port, socket(7).
struct PortReservation: ~Copyable, Sendable {
    private let descriptor: Descriptor
    /// With the port that the kernel chose, if it was asked to.
    let address: SocketAddress

    init(_ address: SocketAddress) throws(SystemError) {
        let descriptor = try Socket.stream(family: address.family)
        let raw = descriptor.raw
        Socket.set(raw, SOL_SOCKET, SO_REUSEADDR, 1)
        guard unsafe address.withSockaddr({ unsafe bind(raw, $0, $1) }) == 0 else {
            throw SystemError("bind", on: address.description)
        }
        self.address = Socket.localAddress(raw) ?? address
        self.descriptor = descriptor
    }

    /// Begins to listen; `refuseCallers` ends it, and the port stays reserved. So does closing the socket, unless a child that
    /// was forked at that moment holds it until it starts its program.
    func listen() throws(SystemError) -> ListeningSocket {
        try ListeningSocket(tcp: address)
    }
}
