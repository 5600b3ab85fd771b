// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The tool of the demo: an HTTP/1.1 client that makes one call on one connection, and knows no credential.
///
/// Confined to its loop; several calls may be under way.
struct EmbeddedClient {
    let loop: EventLoop
    /// Nanoseconds that a call may be without progress.
    var timeout: Int64 = 20_000_000_000

    struct Answer: Sendable {
        let status: Int
        let fields: [EmbeddedRequest.Field]
        var body: [UInt8] = []

        subscript(name: String) -> String? {
            fields.first { $0.name.lowercased() == name }?.value
        }

        var json: JSONValue? { try? JSONValue.decode(body.span, maximumBytes: 64 << 20) }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Why there is no whole answer.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Calls, and reads the answer to its end.
    ///
    /// - Parameters:
    ///   - onHead: hears of the head before the content comes.
    ///   - onPiece: sees each piece of the content as it comes.
    func call(
        _ method: String, _ target: String, at endpoint: Endpoint, fields: [(String, String)] = [],
        body: [UInt8]? = nil, onHead: (Answer) -> Void = { _ in }, onPiece: ([UInt8]) -> Void = { _ in }
    ) async throws(Failure) -> Answer {
        let parker = Parker(on: loop)
        let dialer = Dialer(loop: loop, parker: parker, deadline: loop.now + timeout) { true }
        var connection: ClientConnection
        do { connection = ClientConnection(try await dialer.dial(endpoint), on: loop) } catch {
            throw Failure(description: "\(error)")
        }
        defer { connection.close() }
        connection.carriesSecret = true
        Self.write(method, target, endpoint, fields, body, into: &connection.output)
        let kind = HTTPMethod(method.utf8.span)
        do {
            var answer = try await readHead(&connection, parker)
            onHead(answer.answer)
            var relay = BodyRelay(limits: HTTPLimits())
            relay.begin(try Self.framing(connection.input, connection.head, kind), as: .tunnel)
            connection.input.consume(answer.headCount)
            try await readBody(&connection, parker, &relay) { piece in
                answer.answer.body += piece
                onPiece(piece)
            }
            return answer.answer
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    private static func write(
        _ method: String, _ target: String, _ endpoint: Endpoint, _ fields: [(String, String)], _ body: [UInt8]?,
        into buffer: inout ByteBuffer
    ) {
        let host = if case .host = endpoint { endpoint.description } else { "localhost" }
        buffer.append("\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n")
        for (name, value) in fields { buffer.append("\(name): \(value)\r\n") }
        if let body { buffer.append("Content-Length: \(body.count)\r\n") }
        buffer.append("\r\n")
        if let body { buffer.append(body) }
    }

    private struct Head {
        var answer: Answer
        let headCount: Int
    }

    private func readHead(_ connection: inout ClientConnection, _ parker: Parker) async throws -> Head {
        while true {
            let isWritten = try connection.write()
            while let count = try connection.parseHead(limits: HTTPLimits()) {
                guard connection.head.isInterim else {
                    return Head(answer: Self.facts(connection.input, connection.head), headCount: count)
                }
                connection.input.consume(count)
            }
            switch try connection.channel.read(into: &connection.input) {
            case .bytes: continue
            case .ended: throw Failure(description: "the connection ended before an answer")
            case .blocked: try await wait(parker, isWritten ? "no answer came" : "the request was not taken")
            }
        }
    }

    private func readBody(
        _ connection: inout ClientConnection, _ parker: Parker, _ relay: inout BodyRelay, _ take: ([UInt8]) -> Void
    ) async throws {
        var unused = ByteBuffer()
        while !relay.isComplete {
            var piece: [UInt8] = []
            try relay.move(from: &connection.input, to: &unused) { piece += [UInt8](of: $0) }
            unused.clear()
            if !piece.isEmpty { take(piece) }
            if relay.isComplete { return }
            _ = try connection.write()
            switch try connection.channel.read(into: &connection.input) {
            case .bytes: continue
            case .ended:
                guard relay.inputEnded(output: &unused) else { throw Failure(description: "the answer was cut") }
            case .blocked: try await wait(parker, "the answer stopped")
            }
        }
    }

    private func wait(_ parker: Parker, _ what: StaticString) async throws(Failure) {
        if await parker.park(until: loop.now + timeout) == .timedOut { throw Failure(description: "\(what)") }
    }

    private static func facts(_ input: borrowing ByteBuffer, _ head: ResponseHead) -> Answer {
        let bytes = input.readable
        return Answer(
            status: head.status,
            fields: head.fields.lines.map {
                EmbeddedRequest.Field(
                    name: bytes.text($0.nameRange), value: bytes.text($0.valueRange, limit: 1 << 16))
            })
    }

    private static func framing(
        _ input: borrowing ByteBuffer, _ head: ResponseHead, _ method: HTTPMethod
    ) throws(HTTPError) -> BodyFraming {
        try BodyFraming.response(head, in: input.readable, to: method, askedWebSocket: false)
    }
}
