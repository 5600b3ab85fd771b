// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// A server in the hands of a test, which accepts, reads and answers byte by byte.
// @unchecked: immutable but for its end.
final class ScriptedUpstream: @unchecked Sendable {
    private let descriptor: Int32
    let port: UInt16
    /// The kernel keeps for each address what a connection to it could carry (tcp_metrics), and makes the next one's buffers
    /// accordingly: where little is to be carried, the address must be one that nobody else has called.
    let host: String
    private let tls: TLSContext?

    init(tls: TLSContext? = nil, isNarrow: Bool = false) throws {
        host = isNarrow ? "127.0.0.88" : "127.0.0.1"
        guard let address = SocketAddress(ip: host, port: 0) else { throw SystemError("address", code: EINVAL) }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        if isNarrow {
            // Both ends' buffers: Linux makes the sender's as large as so many segments.
            for (level, option, value) in [(Int32(IPPROTO_TCP), TCP_MAXSEG, 88), (SOL_SOCKET, SO_RCVBUF, 1)] {
                var value = Int32(value)
                unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
            }
        }
        guard unsafe address.withSockaddr({ unsafe bind(descriptor, $0, $1) }) == 0, listen(descriptor, 512) == 0 else {
            throw SystemError("listen")
        }
        port = Socket.localAddress(descriptor)?.port ?? 0
        self.tls = tls
        Wire.limit(descriptor)
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// The next connection.
    func accept() throws -> Wire {
        let wire = try acceptWithoutTLS()
        try startTLS(on: wire)
        return wire
    }

    /// The next connection, its handshake left to `startTLS`.
    func acceptWithoutTLS() throws -> Wire {
        let raw = Glibc.accept(descriptor, nil, nil)
        if raw < 0, errno == EAGAIN { throw Wire.Failure.timedOut(received: "no connection") }
        guard raw >= 0 else { throw SystemError("accept") }
        return Wire(owning: raw)
    }

    func startTLS(on wire: Wire) throws {
        if let tls { try wire.startTLS(tls) }
    }

    /// Whether a connection waits to be accepted.
    var isCalled: Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wait, 1, 0) == 1
    }

    /// Refuses further connections.
    func close() {
        Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Answers on a thread of its own until `close`: each connection on its own thread.
    func serve(_ answer: @escaping @Sendable (Wire) throws -> Void) {
        onThread { [self] in
            while true {
                do {
                    let wire = try accept()
                    onThread { try? answer(wire) }
                } catch Wire.Failure.timedOut {
                    // Nobody has come for a while.
                } catch { return }
            }
        }
    }
}

/// Runs `body` on a thread of its own, which may block.
///
/// - Returns: waits for its end.
@discardableResult
func onThread(_ body: @escaping @Sendable () -> Void) -> JoinableThread {
    let thread = JoinableThread()
    let box = unsafe Unmanaged.passRetained(ThreadBody(body))
    var handle = pthread_t()
    let code = unsafe pthread_create(
        &handle, nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    precondition(code == 0)
    thread.handle = handle
    return thread
}

private final class ThreadBody {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

final class JoinableThread {
    fileprivate var handle: pthread_t?

    func join() {
        guard let handle else { return }
        _ = pthread_join(handle, nil)
        self.handle = nil
    }

    deinit {
        if let handle { pthread_detach(handle) }
    }
}
