// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Answers the requests of an embedded server. Runs on the server's loop, for many connections at once.
protocol EmbeddedHandler: Sendable {
    func serve(_ call: EmbeddedCall) async throws(EmbeddedCall.Abandoned)
}

/// A small HTTP/1.1 server on 127.0.0.1, on a loop and a thread of its own: under the demo's issuer and gateway, and
/// under the tests'. It parses as strictly as the agent does, so that what the agent sends is held to the same rules.
///
/// ## Concurrency
/// The actor's executor is its loop; each connection is one task there.
actor EmbeddedServer: LoopBound {
    nonisolated let loop: EventLoop
    nonisolated let address: SocketAddress
    private let reservation: PortReservation
    private let limits = HTTPLimits()
    private let parker: Parker
    private var acceptor: Acceptor?
    private var listener: ListeningSocket?
    private var connections: [ObjectIdentifier: EmbeddedConnection] = [:]
    private var isStopping = false
    private var running: Task<Void, Never>?

    /// Reserves a port; nobody listens before `start`.
    init(named name: String) throws(SystemError) {
        guard let any = SocketAddress(ip: "127.0.0.1", port: 0) else { throw SystemError("inet_pton", code: 22) }
        reservation = try PortReservation(any)
        address = reservation.address
        let loop = try EventLoop(name: name)
        self.loop = loop
        parker = Parker(on: loop)
        try loop.start()
    }

    /// `http://127.0.0.1:PORT`
    nonisolated var url: String { "http://\(address)" }

    /// Listens, and serves until `stop`.
    func start(_ handler: any EmbeddedHandler) throws(SystemError) {
        try listen()
        // It ends with `stop`, which waits for it.
        running = Task(executorPreference: loop) { await self.run(handler) }
    }

    /// Ends all connections and the loop. Returns when the last handler is done.
    func stop() async {
        isStopping = true
        refuse()
        await running?.value
        running = nil
        loop.stop()
    }

    /// Callers are refused from now on, as by a host on which nothing listens; those connected are cut off.
    func refuse() {
        acceptor?.close()
        acceptor = nil
        // A close alone ends nothing while a child that is about to be started holds the descriptor.
        listener?.refuseCallers()
        listener = nil
        for connection in connections.values {
            connection.channel.abort()
            connection.parker.unpark()
        }
        parker.unpark()
    }

    /// Listens again, on the same port.
    func listen() throws(SystemError) {
        guard acceptor == nil, !isStopping else { return }
        let listener = try reservation.listen()
        acceptor = try Acceptor(listener, on: loop, parker: parker)
        self.listener = listener
        parker.unpark()
    }

    var isListening: Bool { acceptor != nil }
    var connectionCount: Int { connections.count }

    private func run(_ handler: any EmbeddedHandler) async {
        await withDiscardingTaskGroup { group in
            while !isStopping {
                var retry: Int64?
                do throws(SystemError) {
                    while let accepted = try acceptor?.accept() {
                        let raw = accepted.takeDescriptor().release()
                        group.addTask(executorPreference: loop) {
                            await self.serve(Descriptor(owning: raw), handler)
                        }
                    }
                } catch {
                    // Out of descriptors: asking again at once would not help.
                    retry = loop.now + 100_000_000
                }
                _ = await parker.park(until: retry)
            }
        }
    }

    private func serve(_ descriptor: consuming Descriptor, _ handler: any EmbeddedHandler) async {
        guard !isStopping, let connection = try? EmbeddedConnection(adopting: descriptor, on: loop) else { return }
        let identity = ObjectIdentifier(connection)
        connections[identity] = connection
        await serve(connection, handler)
        connection.wire.close()
        connections[identity] = nil
    }

    private func serve(_ connection: EmbeddedConnection, _ handler: any EmbeddedHandler) async {
        while true {
            do throws(ServerConnection.End) {
                let headCount = try await connection.wire.nextRequest(
                    limits: limits, idleTimeout: 60_000_000_000, headTimeout: 10_000_000_000)
                let call: EmbeddedCall
                do throws(HTTPError) {
                    call = try EmbeddedCall(connection, headCount: headCount, limits: limits)
                } catch { throw .refused(error) }
                do throws(EmbeddedCall.Abandoned) { try await handler.serve(call) } catch {}
                switch call.outcome {
                case .keepAlive: continue
                case .close: return
                case .linger: return await connection.wire.closeLingering()
                case .abort: return connection.wire.abort()
                }
            } catch {
                guard case .refused(let reason) = error else { return }
                return await refuse(connection, reason)
            }
        }
    }

    private func refuse(_ connection: EmbeddedConnection, _ reason: HTTPError) async {
        LocalAnswer.write(
            reason.status, json: JSONValue.object(["error": "\(reason)"]).text, keepsAlive: false,
            date: HTTPDate(second: SystemClock().now().wall / 1_000_000_000), into: &connection.wire.output)
        if await connection.wire.flush(by: loop.now + 1_000_000_000) { await connection.wire.closeLingering() }
    }
}
