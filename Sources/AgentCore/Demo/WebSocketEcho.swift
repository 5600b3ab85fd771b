// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The least of a WebSocket server (RFC 6455): sends back each data frame, answers pings, and closes when it is told
/// to. Messages in fragments come back in the same fragments.
struct WebSocketEcho {
    private let call: EmbeddedCall

    private enum Opcode: UInt8 {
        case continuation = 0, text, binary
        case close = 8, ping, pong
    }

    private struct Frame {
        let isLast: Bool
        let opcode: Opcode
        let payload: [UInt8]
        /// Bytes of input that it took.
        let count: Int
    }

    /// Statuses of RFC 6455 §7.4.1.
    private enum Broken: UInt16, Error {
        case protocolError = 1002
        case tooBig = 1009
    }

    private static let payloadLimit = 1 << 20

    static func serve(_ call: EmbeddedCall) async throws {
        let request = call.request
        guard request.method == "GET", request["upgrade"]?.lowercased() == "websocket",
            request["sec-websocket-version"] == "13", let key = request["sec-websocket-key"], key.utf8.count == 24
        else {
            var error = APIError(426, "invalid_request_error", "this path speaks WebSocket only")
            error.fields = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
            throw error
        }
        let proof = SHA1.digest("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8.span)
        try await call.switchProtocols([
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", base64(proof)),
        ])
        try await WebSocketEcho(call: call).run()
    }

    /// RFC 4648 §4, padded.
    private static func base64(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        return String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }

    private func run() async throws {
        while true {
            do {
                while let frame = try Self.parse(call.connection.wire.input) {
                    call.connection.wire.input.consume(frame.count)
                    switch frame.opcode {
                    case .continuation, .text, .binary: try await send(frame.opcode, frame.payload, frame.isLast)
                    case .ping: try await send(.pong, frame.payload)
                    case .pong: break
                    case .close: return try await send(.close, Array(frame.payload.prefix(2)))
                    }
                }
            } catch let broken as Broken {
                let code = broken.rawValue
                return try await send(.close, [UInt8(code >> 8), UInt8(code & 255)])
            }
            switch try call.connection.channel.read(into: &call.connection.wire.input) {
            case .bytes: continue
            case .ended: return
            case .blocked: _ = await call.connection.parker.park()
            }
        }
    }

    /// The next frame, if it is whole (RFC 6455 §5.2). A client's frames are masked, or it is none.
    private static func parse(_ input: borrowing ByteBuffer) throws(Broken) -> Frame? {
        let bytes = input.readable
        guard bytes.count >= 2 else { return nil }
        let (first, second) = (bytes[0], bytes[1])
        guard first & 0x70 == 0, let opcode = Opcode(rawValue: first & 15), second & 0x80 != 0 else {
            throw .protocolError
        }
        var length = Int(second & 127)
        var position = 2
        let extra = length == 126 ? 2 : length == 127 ? 8 : 0
        guard bytes.count >= 2 + extra + 4 else { return nil }
        if extra > 0 {
            guard opcode.rawValue < 8 else { throw .protocolError }
            if extra == 8, bytes[2] | bytes[3] | bytes[4] | bytes[5] != 0 { throw .tooBig }
            length = 0
            for _ in 0..<extra {
                length = length << 8 | Int(bytes[position])
                position += 1
            }
        }
        guard length <= payloadLimit else { throw .tooBig }
        guard bytes.count >= position + 4 + length else { return nil }
        var payload: [UInt8] = []
        payload.reserveCapacity(length)
        for index in 0..<length { payload.append(bytes[position + 4 + index] ^ bytes[position + index % 4]) }
        return Frame(isLast: first & 0x80 != 0, opcode: opcode, payload: payload, count: position + 4 + length)
    }

    private func send(_ opcode: Opcode, _ payload: [UInt8], _ isLast: Bool = true) async throws {
        var frame: [UInt8] = [opcode.rawValue | (isLast ? 0x80 : 0)]
        switch payload.count {
        case ..<126: frame.append(UInt8(payload.count))
        case ..<65_536: frame += [126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            frame.append(127)
            for shift in stride(from: 56, through: 0, by: -8) { frame.append(UInt8(payload.count >> shift & 255)) }
        }
        call.connection.wire.output.append(frame + payload)
        try await call.flush()
    }
}
