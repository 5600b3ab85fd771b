// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What an upstream connection is made to: equal origins share their idle connections.
struct UpstreamOrigin: Hashable, Sendable {
    let endpoint: Endpoint
    /// The name that the certificate must be for, with the port of the resumption cache; nil for plain text.
    let tls: TLSConfiguration?
    /// Of the URL; for a Unix socket `localhost`.
    let host: String
    let port: UInt16
}

/// The connections of one loop to one origin: those idle, to be used again, and the way to a new one.
///
/// Confined to its loop. What was last used is taken first, so that a pool that was large for a moment shrinks.
final class UpstreamPool {
    let origin: UpstreamOrigin
    private let loop: EventLoop
    private let tls: UpstreamTLS?
    private let idle = LoopCell(OwnedList<Idle>())

    /// Idle connections kept for `idleTimeout`; with 0 each is closed after its exchange.
    var idleLimit = 32
    /// Nanoseconds that an idle one is kept: less than servers commonly do (nginx: 75 s), so that the agent closes first
    /// and seldom sends into a connection that is about to die.
    var idleTimeout: Int64 = 50_000_000_000
    /// Nanoseconds that those beyond `idleLimit` are kept. Where many call, how many are idle goes up and down all the time,
    /// and what is closed on the way up is missing on the way down: a handshake each.
    var surplusTimeout: Int64 = 2_000_000_000
    /// Connections closed in one go, at most: some microseconds each, while nobody else is served.
    private static let closedAtOnce = 64

    private struct Idle: ~Copyable {
        var connection: OwnedBox<ClientConnection>
        /// Beside the connection, so that one is found without looking into all of them.
        let channel: ObjectIdentifier
        /// Monotonic nanoseconds at which it became idle.
        let since: Int64

        consuming func takeConnection() -> OwnedBox<ClientConnection> { connection }
    }

    /// - Parameter tls: of `origin.tls`; nil for plain text.
    init(_ origin: UpstreamOrigin, tls: UpstreamTLS?, on loop: EventLoop) {
        self.origin = origin
        self.tls = tls
        self.loop = loop
    }

    private var isClosed = false

    /// How many are idle. Beside the list, so that it is read without opening that.
    private(set) var idleCount = 0

    /// When the oldest idle connection is due to be closed; nil if there is none.
    var nextExpiry: Int64? {
        guard idleCount > 0 else { return nil }
        let time = idleCount > idleLimit ? min(surplusTimeout, idleTimeout) : idleTimeout
        return idle.with { $0[0].since } + time
    }

    /// An idle connection that has shown no sign of death, for the task that parks on `parker`.
    func take(for parker: Parker) -> OwnedBox<ClientConnection>? {
        while let candidate = idle.with({ $0.popLast() }) {
            idleCount -= 1
            var connection = candidate.takeConnection()
            guard !connection.value.channel.hasLeft else {
                connection.value.close()
                continue
            }
            connection.value.beginAgain(for: parker)
            return connection
        }
        return nil
    }

    /// A new connection.
    ///
    /// - Parameters:
    ///   - deadline: monotonic nanoseconds.
    ///   - isWanted: asked at each wake, see `Dialer`.
    func connect(
        for parker: Parker, by deadline: Int64, while isWanted: @escaping () -> Bool
    ) async throws(DialFailure) -> OwnedBox<ClientConnection> {
        let dialer = Dialer(loop: loop, parker: parker, deadline: deadline, isWanted: isWanted)
        guard origin.tls != nil else { return adopt(try await dialer.dial(origin.endpoint)) }
        // Never in plain text instead: a reload may have taken the context away under a call that still runs.
        guard let tls else { throw .tls(origin.endpoint, "the route was removed by a reload") }
        let (host, port) = (origin.host, origin.port)
        let channel = try await dialer.dial(origin.endpoint, tls) { context, descriptor throws(TLSFailure) in
            try TLSSession(client: context, host: host, port: port, descriptor: descriptor)
        }
        return adopt(channel)
    }

    private func adopt(_ channel: Channel) -> OwnedBox<ClientConnection> {
        // Once a connection: making the closure is an allocation. It is asked only while nobody has the connection.
        channel.whenIdle = { [weak self, unowned channel] in self?.look(at: channel) }
        return OwnedBox(ClientConnection(channel, on: loop, madeBy: self))
    }

    /// Takes a connection back whose exchange is whole on both sides. One with bytes left over is closed, wherever they
    /// wait: nobody asked for them, and the next caller must not get them. So is one that was made for a former plan,
    /// under another certificate.
    ///
    /// - Parameter callers: how many the loop has: so many may be idle for a moment, as each can use one.
    /// - Returns: true if `nextExpiry` has come nearer, so that somebody has to look at it.
    func give(_ connection: consuming OwnedBox<ClientConnection>, callers: Int) -> Bool {
        guard !isClosed, idleLimit > 0, connection.value.madeBy === self, connection.value.rest() else {
            connection.value.close()
            return false
        }
        if idleCount >= max(callers, idleLimit) { close(at: 0) }
        keep(connection)
        idleCount += 1
        return idleCount == 1 || idleCount == idleLimit + 1
    }

    private func keep(_ connection: consuming OwnedBox<ClientConnection>) {
        let channel = ObjectIdentifier(connection.value.channel)
        var kept: Idle? = Idle(connection: connection, channel: channel, since: loop.now)
        idle.with { list in
            if let kept = kept.take() { list.append(kept) }
        }
    }

    /// An idle connection stirs. If the server closed it or said something unasked, it is of no more use; TLS may also
    /// have had a message of its own to deliver.
    private func look(at channel: Channel) {
        guard
            let index = idle.with({ list in
                (0..<list.count).first { list[$0].channel == ObjectIdentifier(channel) }
            })
        else { return }
        let isSilent = idle.with { $0[index].connection.value.isSilent }
        if !isSilent { close(at: index) }
    }

    /// Closes what has been idle for too long, some of it if it is much.
    func expire(at now: Int64) {
        for _ in 0..<Self.closedAtOnce {
            guard let expiry = nextExpiry, expiry <= now else { return }
            close(at: 0)
        }
    }

    /// Closes all that are idle, and what is given back from now on: the route is gone, or the agent is.
    func close() {
        isClosed = true
        while idleCount > 0 { close(at: idleCount - 1) }
    }

    private func close(at index: Int) {
        idleCount -= 1
        var connection = idle.with { $0.remove(at: index) }.takeConnection()
        connection.value.close()
    }
}
