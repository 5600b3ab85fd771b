// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Where to connect: a host by name or number with a port, or a Unix socket.
enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    case host(String, port: UInt16)
    case unix(path: String)

    var description: String {
        switch self {
        case .host(let name, let port): name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// Makes connections: resolves, races the addresses (`HappyEyeballs`), and shakes hands when TLS is asked for.
struct Dialer {
    let loop: EventLoop
    /// Wakes this task; shared with whatever else it waits for.
    let parker: Parker
    /// Monotonic nanoseconds by which the connection stands, handshake included.
    let deadline: Int64
    var names = Resolver.ofThisHost
    /// Asked at each wake: does anybody still want the connection? A client that has left cancels it.
    let isWanted: () -> Bool

    /// Connects to `endpoint`.
    ///
    /// - Parameter tls: makes the session over the connected descriptor; nil for plain text.
    /// - Returns: an open channel whose parker is this dialer's.
    func dial(
        _ endpoint: Endpoint, tls: ((_ descriptor: Int32) throws(TLSFailure) -> TLSSession)? = nil
    ) async throws(DialFailure) -> Channel {
        let addresses = try await resolve(endpoint)
        let channel = try await race(addresses, endpoint)
        guard let tls else { return channel }
        return try await shakeHands(channel, endpoint, tls)
    }

    /// Connects to `endpoint` and shakes hands, with a context that may still have to be made: meanwhile the connection is.
    func dial(
        _ endpoint: Endpoint, _ upstream: UpstreamTLS,
        tls: (TLSContext, _ descriptor: Int32) throws(TLSFailure) -> TLSSession
    ) async throws(DialFailure) -> Channel {
        let pending = upstream.context == nil ? Pending(on: loop, waking: parker) { upstream.whenMade($0) } : nil
        defer { pending?.abandon() }
        let channel = try await dial(endpoint)
        if let pending { try await wait(for: pending, channel, endpoint) }
        return try await shakeHands(channel, endpoint) { descriptor throws(TLSFailure) in
            try tls(Self.context(upstream, pending), descriptor)
        }
    }

    // Not inlined, nor what follows: see `ConnectRace`.
    @inline(never)
    private func wait(
        for pending: Pending<UpstreamTLS.Made>, _ channel: Channel, _ endpoint: Endpoint
    ) async throws(DialFailure) {
        do throws(DialFailure) {
            while pending.value == nil { try await wait(until: deadline, endpoint, "reading the trust store") }
        } catch {
            channel.abort()
            throw error
        }
    }

    @inline(never)
    private static func context(
        _ upstream: UpstreamTLS, _ pending: Pending<UpstreamTLS.Made>?
    ) throws(TLSFailure) -> TLSContext {
        if let made = pending?.value { return try made.get() }
        guard let context = upstream.context else { throw TLSFailure(.configuration, "it has no context") }
        return context
    }

    @inline(never)
    private func shakeHands(
        _ channel: Channel, _ endpoint: Endpoint, _ tls: (_ descriptor: Int32) throws(TLSFailure) -> TLSSession
    ) async throws(DialFailure) -> Channel {
        do {
            channel.startTLS(try tls(channel.rawDescriptor))
            while try !channel.handshake() {
                try await wait(until: deadline, endpoint, "TLS handshake")
            }
            return channel
        } catch {
            channel.abort()
            throw switch error {
            case let failure as DialFailure: failure
            case let failure as TLSFailure: DialFailure.tls(endpoint, failure.description)
            default: DialFailure.tls(endpoint, "\(error)")
            }
        }
    }

    private func resolve(_ endpoint: Endpoint) async throws(DialFailure) -> [SocketAddress] {
        if let known = try Self.written(endpoint) { return known }
        guard case .host(let name, let port) = endpoint else { return [] }
        let pending = Pending(on: loop, waking: parker) { names.find(.init(host: name, port: port), $0) }
        defer { pending.abandon() }
        while true {
            if let result = pending.value {
                do { return try result.get() } catch { throw .unresolved(error) }
            }
            try await wait(until: deadline, endpoint, "name resolution")
        }
    }

    /// The address of an endpoint that is one; nil for a name. Not inlined: see `ConnectRace`.
    @inline(never)
    private static func written(_ endpoint: Endpoint) throws(DialFailure) -> [SocketAddress]? {
        switch endpoint {
        case .unix(let path):
            guard let address = SocketAddress(unixPath: path) else {
                throw .unreachable(endpoint, ["the path is longer than unix(7) allows"])
            }
            return [address]
        case .host(let name, let port):
            return SocketAddress(ip: name, port: port).map { [$0] }
        }
    }

    private func race(_ addresses: [SocketAddress], _ endpoint: Endpoint) async throws(DialFailure) -> Channel {
        var race = ConnectRace(addresses, endpoint)
        defer { race.end() }
        while true {
            switch try race.turn(on: loop, parker) {
            case .won(let channel): return channel
            case .wait(let time): try await wait(until: min(deadline, time ?? deadline), endpoint, "connection")
            }
        }
    }

    private func wait(until time: Int64, _ endpoint: Endpoint, _ what: StaticString) async throws(DialFailure) {
        guard isWanted() else { throw .abandoned }
        let wake = await parker.park(until: time)
        guard isWanted() else { throw .abandoned }
        if wake == .timedOut, time >= deadline { throw .timedOut(endpoint, "\(what)") }
    }
}

/// Why there is no connection.
enum DialFailure: Error, CustomStringConvertible {
    case unresolved(ResolveFailure)
    /// Each address with its reason.
    case unreachable(Endpoint, [String])
    case timedOut(Endpoint, String)
    case tls(Endpoint, String)
    /// Nobody wanted it any more.
    case abandoned

    var description: String {
        switch self {
        case .unresolved(let failure): failure.description
        case .unreachable(let endpoint, let reasons):
            // An address that is the endpoint itself need not be said twice.
            "cannot connect to \(endpoint): "
                + reasons.map { $0.hasPrefix("\(endpoint): ") ? String($0.dropFirst("\(endpoint): ".count)) : $0 }
                .joined(separator: "; ")
        case .timedOut(let endpoint, let what): "\(what) to \(endpoint) took longer than the connect timeout"
        case .tls(let endpoint, let reason): "TLS with \(endpoint) failed: \(reason)"
        case .abandoned: "the caller left while the connection was made"
        }
    }

    /// Short and bounded, for metrics.
    var code: StaticString {
        switch self {
        case .unresolved: "dns"
        case .unreachable: "unreachable"
        case .timedOut: "connect-timeout"
        case .tls: "tls"
        case .abandoned: "abandoned"
        }
    }
}
