// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One request at an embedded server, and the pen to answer it with.
///
/// Either `answer`, or `begin`, any number of `send`, and `end`. An answer that is begun and not ended is cut: the
/// caller must see that it is not whole. Confined to the loop of its connection.
final class EmbeddedCall {
    let request: EmbeddedRequest
    /// Written into every head of an answer.
    var commonFields: [(String, String)] = []
    /// Of the content received so far.
    var receivedCount: UInt64 { upload.contentCount }
    /// The status that was answered; nil before.
    private(set) var status: Int?
    /// The caller has left before the answer was whole.
    private(set) var isAbandoned = false

    let connection: EmbeddedConnection
    private let method: HTTPMethod
    private let keepsAlive: Bool
    private var expectsContinue: Bool
    private var upload: BodyRelay
    private var framing = BodyFraming.none
    private var end = End.abort

    /// The caller has left, or its request is broken: there is nobody to answer.
    struct Abandoned: Error {}

    /// What becomes of the connection.
    enum End {
        case keepAlive, close, linger, abort
    }

    /// How long a caller may take none of its answer, nanoseconds.
    private static let writeTimeout: Int64 = 60_000_000_000

    /// Takes the request whose head is the first `headCount` bytes of the connection's input.
    ///
    /// - Throws: what a strict server refuses.
    init(_ connection: EmbeddedConnection, headCount: Int, limits: HTTPLimits) throws(HTTPError) {
        try ServedRequests.check(connection.wire.head)
        let incoming = try connection.wire.requestFraming(limits)
        self.connection = connection
        request = connection.wire.withHead { EmbeddedRequest($0, in: $1) }
        method = connection.wire.head.method
        keepsAlive = connection.wire.head.keepsAlive
        expectsContinue = connection.wire.head.expectsContinue
        upload = BodyRelay(limits: limits)
        upload.begin(incoming, as: .tunnel)
        connection.wire.input.consume(headCount)
    }

    // MARK: Content

    /// The whole content of the request.
    func body() async throws(Abandoned) -> [UInt8] {
        var body: [UInt8] = []
        try await readBody { piece in
            body.reserveCapacity(body.count + piece.count)
            for index in piece.indices { body.append(piece[index]) }
        }
        return body
    }

    /// Reads the content to its end, a piece at a time.
    func readBody(_ take: (Span<UInt8>) -> Void) async throws(Abandoned) {
        while try await readSome(take) {}
    }

    /// Reads what has arrived, at least a byte.
    ///
    /// - Returns: whether more will come.
    func readSome(_ take: (Span<UInt8>) -> Void) async throws(Abandoned) -> Bool {
        var unused = ByteBuffer()
        while !upload.isComplete {
            if !connection.wire.input.isEmpty {
                let before = upload.contentCount
                do throws(HTTPError) {
                    try upload.move(from: &connection.wire.input, to: &unused, tap: take)
                } catch {
                    try await answer(error.status, text: "\(error)\n")
                    throw Abandoned()
                }
                unused.clear()
                if upload.contentCount > before { return !upload.isComplete }
                if upload.isComplete { return false }
            }
            if expectsContinue {
                expectsContinue = false
                LocalAnswer.writeContinue(into: &connection.wire.output)
                try await flush()
            }
            do throws(IOFailure) {
                switch try connection.channel.read(into: &connection.wire.input) {
                case .bytes: continue
                case .ended: throw IOFailure.truncated
                case .blocked: _ = await connection.parker.park()
                }
            } catch { throw abandon() }
        }
        return false
    }

    // MARK: Answer

    /// A whole answer.
    func answer(
        _ status: Int, _ fields: [(String, String)] = [], type: String = "text/plain; charset=utf-8", body: [UInt8]
    ) async throws(Abandoned) {
        var fields = fields
        if !body.isEmpty { fields.append(("Content-Type", type)) }
        writeHead(status, fields, .length(UInt64(body.count)))
        if method != .head { connection.wire.output.append(body) }
        end = whole
        try await flush()
    }

    func answer(_ status: Int, _ fields: [(String, String)] = [], text: String) async throws(Abandoned) {
        try await answer(status, fields, body: Array(text.utf8))
    }

    func answer(_ status: Int, _ fields: [(String, String)] = [], json: JSONValue) async throws(Abandoned) {
        try await answer(status, fields, type: "application/json", body: json.bytes)
    }

    /// Begins an answer whose content comes in pieces.
    ///
    /// - Parameter length: announced by Content-Length; nil for the chunked coding.
    func begin(_ status: Int, _ fields: [(String, String)], length: Int? = nil) async throws(Abandoned) {
        writeHead(
            status, fields, length.map { .length(UInt64($0)) } ?? BodyFraming.chunked.towards(request.version))
        try await flush()
    }

    /// Sends a piece of the content, at once.
    func send(_ bytes: [UInt8]) async throws(Abandoned) {
        if method == .head { return }
        if framing == .chunked {
            ChunkedEncoder.append(bytes.span, into: &connection.wire.output)
        } else {
            connection.wire.output.append(bytes)
        }
        try await flush()
    }

    func send(_ text: String) async throws(Abandoned) {
        try await send(Array(text.utf8))
    }

    /// The content is whole.
    func end() async throws(Abandoned) {
        if framing == .chunked, method != .head { ChunkedEncoder.appendLast(into: &connection.wire.output) }
        end = framing == .untilClose ? .close : whole
        try await flush()
    }

    /// Sends bytes that need be no HTTP, and ends the connection behind them.
    func sendRaw(_ bytes: [UInt8], resetting: Bool = false) async throws(Abandoned) {
        connection.wire.output.append(bytes)
        try await flush()
        end = resetting ? .abort : .close
    }

    /// An interim answer (RFC 9110 §15.2); another follows.
    func interim(_ status: Int, _ fields: [(String, String)]) async throws(Abandoned) {
        connection.wire.output.append("HTTP/1.1 \(status) \r\n")
        for (name, value) in fields { connection.wire.output.append("\(name): \(value)\r\n") }
        connection.wire.output.append("\r\n")
        try await flush()
    }

    /// Waits; ends early when the caller leaves.
    func pause(_ duration: Duration) async throws(Abandoned) {
        let deadline = connection.loop.now + duration.nanoseconds
        repeat {
            guard connection.channel.isOpen, !connection.wire.hasLeft else { throw abandon() }
        } while await connection.parker.park(until: deadline) != .timedOut
    }

    /// Notes that the caller has gone.
    func abandon() -> Abandoned {
        isAbandoned = true
        end = .abort
        return Abandoned()
    }

    /// What the server does with the connection next.
    var outcome: End { end }

    private var whole: End {
        if !upload.isComplete { return .linger }
        return keepsAlive ? .keepAlive : .close
    }

    private func writeHead(_ status: Int, _ fields: [(String, String)], _ framing: BodyFraming) {
        self.status = status
        self.framing = framing
        let date = HTTPDate(second: SystemClock().now().wall / 1_000_000_000)
        LocalAnswer.begin(status, date: date, into: &connection.wire.output)
        for (name, value) in commonFields + fields { connection.wire.output.append("\(name): \(value)\r\n") }
        switch framing {
        case .length(let length): HeadWriter.append("Content-Length", decimal: length, into: &connection.wire.output)
        case .chunked: HeadWriter.append("Transfer-Encoding", "chunked", into: &connection.wire.output)
        case .none, .untilClose, .tunnel: break
        }
        if framing != .tunnel {
            HeadWriter.appendPersistence(
                framing != .untilClose && whole == .keepAlive, request.version, into: &connection.wire.output)
        }
        HeadWriter.end(into: &connection.wire.output)
    }

    /// 101: from here on the connection belongs to the handler, which reads and writes it by itself.
    func switchProtocols(_ fields: [(String, String)]) async throws(Abandoned) {
        writeHead(101, fields, .tunnel)
        end = .close
        try await flush()
    }

    func flush() async throws(Abandoned) {
        guard await connection.wire.flush(by: connection.loop.now + Self.writeTimeout) else { throw abandon() }
    }
}
