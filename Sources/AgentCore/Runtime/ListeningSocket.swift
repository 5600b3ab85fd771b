// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// A socket that callers connect to, shared by all data loops; each takes connections from it as it can.
///
/// One that the agent bound itself is closed, and a Unix path unlinked, when the last loop lets go. One that systemd
/// passed is closed only: unlinking it would leave systemd listening where nobody can connect (PEERS: ghostunnel#745).
final class ListeningSocket: Sendable {
    let descriptor: Descriptor
    let address: SocketAddress
    /// Of a Unix socket that the agent bound itself, until it refuses callers.
    private let path = Mutex<SocketPath?>(nil)
    private let isOwned: Bool

    /// Takes over a socket that listens already: systemd's.
    init(adopting descriptor: consuming Descriptor, address: SocketAddress) {
        self.descriptor = descriptor
        self.address = address
        isOwned = false
    }

    /// Binds a TCP address and listens.
    init(tcp address: SocketAddress) throws(SystemError) {
        descriptor = try Socket.listen(on: address)
        self.address = Socket.localAddress(descriptor.raw) ?? address
        isOwned = true
    }

    /// Binds a Unix socket and listens.
    ///
    /// A socket file outlives its process, so a path in the way is dialled first: an answer means that somebody serves
    /// there, silence that the file is a leftover and may go. No other agent gets in between, see `SocketPath`. The file
    /// never exists with wider permissions than `mode`, see `Socket.listen`.
    init(unixPath path: String, mode: UInt32) throws(ListenFailure) {
        guard let address = SocketAddress(unixPath: path) else {
            throw .badPath(path, byteCount: path.utf8.count)
        }
        let held = try SocketPath(path)
        try Self.removeLeftover(path, address: address)
        do { descriptor = try Socket.listen(on: address, mode: mode) } catch { throw .system(error) }
        held.noteBound()
        self.address = address
        isOwned = true
        self.path.withLock { $0 = held }
    }

    /// Refuses callers from now on, and those in the queue: nobody will accept them. In systemd's socket they wait, for
    /// the next agent. One that is started by hand gets the path while this one still drains.
    func refuseCallers() {
        guard isOwned else { return }
        shutdown(descriptor.raw, Int32(SHUT_RDWR))
        // TCP resets its queue by itself; a Unix socket keeps it until somebody takes them, and lets them go.
        while (try? Socket.accept(descriptor.raw)?.takeDescriptor()) != nil {}
        path.withLock { $0 = nil }
    }

    private static func removeLeftover(_ path: String, address: SocketAddress) throws(ListenFailure) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
        do {
            let probe = try Socket.stream(family: AF_UNIX)
            _ = try Socket.connect(probe, to: address)
            throw ListenFailure.inUse(path)
        } catch let failure as ListenFailure {
            throw failure
        } catch {
            // Nobody listens: ECONNREFUSED. Anything else (no permission) is left for bind(2) to explain.
            if let error = error as? SystemError, error.code == ECONNREFUSED { unsafe _ = unlink(path) }
        }
    }
}

/// Why a Unix socket cannot be listened on.
enum ListenFailure: Error, CustomStringConvertible {
    case badPath(String, byteCount: Int)
    case notASocket(String)
    case inUse(String)
    /// Another agent has it, or is about to.
    case locked(String, lock: String, holder: Int32?)
    case cannotLock(SystemError)
    case system(SystemError)

    var description: String {
        switch self {
        case .badPath(let path, let byteCount):
            """
            socket path "\(path)" has \(byteCount) bytes; unix(7) allows 1 to \(SocketAddress.unixPathLimit), \
            without NUL: choose a shorter path
            """
        case .notASocket(let path):
            "\(path) exists and is not a socket; remove it or choose another path"
        case .inUse(let path):
            "another process is listening on \(path); stop it or choose another path"
        case .locked(let path, let lock, let holder):
            """
            another agent\(holder.map { " (process \($0))" } ?? "") has \(path), by its lock on \(lock); \
            stop it or choose another path
            """
        case .cannotLock(let error):
            """
            \(error): the path of the socket has to be locked against other agents; remove that file if another user \
            has left it, or choose another path
            """
        case .system(let error):
            error.description
        }
    }
}

/// One loop's share of a listening socket: accepts what comes, without waiting.
///
/// Every loop registers the same descriptor exclusively (EPOLLEXCLUSIVE of epoll_ctl(2)), so that one connection wakes
/// one loop and not all of them.
final class Acceptor: EventTarget {
    private let socket: ListeningSocket
    private let loop: EventLoop
    private let parker: Parker
    private var registration: RegistrationID?

    init(_ socket: ListeningSocket, on loop: EventLoop, parker: Parker) throws(SystemError) {
        self.socket = socket
        self.loop = loop
        self.parker = parker
        registration = try loop.register(socket.descriptor.raw, events: Self.events, target: self)
    }

    private static let events = EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue | EPOLLET.rawValue

    func eventsArrived(_ events: UInt32) {
        parker.unpark()
    }

    /// The next connection, or nil when nobody waits.
    ///
    /// - Throws: EMFILE, ENFILE, ENOBUFS or ENOMEM: try again after a pause, or the loop spins.
    func accept() throws(SystemError) -> AcceptedSocket? {
        guard registration != nil else { return nil }
        return try Socket.accept(socket.descriptor.raw)
    }

    /// Hears of no more callers for a time: the kernel wakes another loop for them.
    func pause() { close() }

    /// Hears of callers again, and of those that have come meanwhile.
    func resume() throws(SystemError) {
        guard registration == nil else { return }
        registration = try loop.register(socket.descriptor.raw, events: Self.events, target: self)
    }

    /// Stops accepting; callers wait in the socket's queue for whoever accepts next.
    func close() {
        guard let registration else { return }
        loop.deregister(registration, keepingOpen: socket.descriptor.raw)
        self.registration = nil
    }
}
