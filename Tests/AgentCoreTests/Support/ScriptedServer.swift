// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// A server that does to each connection what its script says, byte for byte, and keeps what it was sent.
///
/// Strict towards its client: a request that is not whole and well formed by the agent's own parser is an issue of the
/// test.
actor ScriptedServer: LoopBound {
    enum Step: Sendable {
        /// Reads one whole request.
        case request
        case send(String)
        case sendBytes([UInt8])
        /// Sends the same piece again and again, until the client leaves.
        case flood(String)
        /// A byte now and then, until the client leaves.
        case drip
        /// Cuts the connection: RST, and no close_notify under TLS.
        case abort
        /// Says nothing until the client leaves.
        case hang
    }

    nonisolated let loop: EventLoop
    nonisolated let address: SocketAddress
    private let listener: ListeningSocket
    private let tls: TLSContext?
    private var scripts: [[Step]]
    private(set) var requests: [String] = []
    /// Yields when a client has left a connection whose script waited for that.
    nonisolated let departures: AsyncStream<Void>
    /// Yields when a request was read.
    nonisolated let arrivals: AsyncStream<Void>
    private let departed: AsyncStream<Void>.Continuation
    private let arrived: AsyncStream<Void>.Continuation
    private let parker: Parker
    private var isStopped = false

    private init(_ listener: ListeningSocket, _ scripts: [[Step]], _ tls: TLSContext?, on loop: EventLoop) {
        self.loop = loop
        self.listener = listener
        self.scripts = scripts
        self.tls = tls
        address = listener.address
        parker = Parker(on: loop)
        (departures, departed) = AsyncStream.makeStream()
        (arrivals, arrived) = AsyncStream.makeStream()
    }

    nonisolated var port: UInt16 { address.port ?? 0 }

    /// - Parameter scripts: of one connection after the other; the last serves all that follow.
    static func with<Value: Sendable>(
        _ scripts: [[Step]], tls: TLSContext? = nil, unixPath: String? = nil,
        _ body: (ScriptedServer) async throws -> Value
    ) async throws -> Value {
        HostSignals.ignoreBrokenPipes()
        let loop = try EventLoop(name: "scripted")
        try loop.start()
        let listener =
            try unixPath.map { try ListeningSocket(unixPath: $0, mode: 0o600) }
            ?? ListeningSocket(tcp: #require(SocketAddress(ip: "127.0.0.1", port: 0)))
        let server = ScriptedServer(listener, scripts, tls, on: loop)
        let running = Task(executorPreference: loop) { await server.run() }
        let result: Result<Value, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        await server.stop()
        await running.value
        loop.stop()
        return try result.get()
    }

    private func stop() {
        isStopped = true
        parker.unpark()
    }

    private func run() async {
        guard let acceptor = try? Acceptor(listener, on: loop, parker: parker) else { return }
        defer { acceptor.close() }
        while !isStopped {
            guard let accepted = try? acceptor.accept() else {
                _ = await parker.park()
                continue
            }
            let script = scripts.count > 1 ? scripts.removeFirst() : scripts.first ?? []
            let descriptor = accepted.takeDescriptor().release()
            Task(executorPreference: loop) { await self.serve(descriptor, script) }
        }
    }

    private func serve(_ descriptor: Int32, _ script: [Step]) async {
        let parker = Parker(on: loop)
        guard let channel = try? Channel(adopting: Descriptor(owning: descriptor), on: loop, parker: parker) else {
            return
        }
        defer { channel.close() }
        if let tls {
            guard let session = try? TLSSession(server: tls, descriptor: channel.rawDescriptor) else { return }
            channel.startTLS(session)
            while true {
                guard let isDone = try? channel.handshake() else { return }
                if isDone { break }
                _ = await parker.park()
            }
        }
        for step in script {
            switch step {
            case .request: guard await readRequest(channel, parker) else { return }
            case .send(let text): guard await send(Array(text.utf8), channel, parker) else { return }
            case .sendBytes(let bytes): guard await send(bytes, channel, parker) else { return }
            case .flood(let piece):
                while await send(Array(piece.utf8), channel, parker), !isStopped { await Task.yield() }
                departed.yield()
                return
            case .drip:
                while await send([UInt8(ascii: "x")], channel, parker), !isStopped {
                    _ = await parker.park(until: SystemClock.monotonic() + 5_000_000)
                    if channel.isHungUp { break }
                }
                departed.yield()
                return
            case .abort:
                channel.abort()
                return
            case .hang:
                var rest = ByteBuffer()
                while !isStopped, let outcome = try? channel.read(into: &rest), outcome != .ended {
                    rest.clear()
                    if outcome == .blocked { _ = await parker.park(until: SystemClock.monotonic() + 100_000_000) }
                }
                departed.yield()
                return
            }
        }
    }

    private func send(_ bytes: [UInt8], _ channel: Channel, _ parker: Parker) async -> Bool {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        while !isStopped {
            guard let outcome = try? channel.write(from: &buffer) else { return false }
            if outcome == .done { return true }
            _ = await parker.park(until: SystemClock.monotonic() + 100_000_000)
        }
        return false
    }

    private func readRequest(_ channel: Channel, _ parker: Parker) async -> Bool {
        var input = ByteBuffer()
        var head = RequestHead()
        var whole: Int?
        while !isStopped {
            do {
                if whole == nil, !input.isEmpty { whole = try Self.length(of: input, &head) }
                if let whole, input.count >= whole {
                    if input.count > whole { Issue.record("more than one request was sent") }
                    requests.append(String(decoding: (0..<input.count).map { input[$0] }, as: UTF8.self))
                    arrived.yield()
                    return true
                }
                switch try channel.read(into: &input) {
                case .bytes: break
                case .blocked: _ = await parker.park()
                case .ended: return false
                }
            } catch {
                if error is HTTPError { Issue.record("\(error)") }
                return false
            }
        }
        return false
    }

    /// Of the request with its content; nil while its head is incomplete.
    private static func length(of input: borrowing ByteBuffer, _ head: inout RequestHead) throws(HTTPError) -> Int? {
        guard let count = try HeadParser.parseRequest(input, into: &head, limits: HTTPLimits()) else { return nil }
        return switch try BodyFraming.request(head, in: input.readable, limits: HTTPLimits()) {
        case .length(let length): count + Int(length)
        default: count
        }
    }
}
