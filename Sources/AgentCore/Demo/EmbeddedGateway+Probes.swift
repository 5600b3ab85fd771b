// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What tests need of an upstream and no provider has.
///
/// | request | answer |
/// | --- | --- |
/// | any method `/demo/echo` | method, target, fields and a digest of the content, as received |
/// | `GET /demo/events?count=N&interval=MS` | N server-sent events |
/// | `POST /demo/upload` | how many bytes came |
/// | `GET /demo/bytes?count=N` | N bytes, with Content-Length; `chunked=1` for chunks |
/// | `GET /demo/websocket` | a WebSocket that echoes (RFC 6455) |
/// | `/demo/status?code=N` | that status |
/// | `/demo/early?code=N` | that status (413) at once, the content unread |
/// | `/demo/cut?after=N` | a good answer, cut behind N bytes of content; `chunked=1` for chunks |
/// | `/demo/nonsense` | what is no HTTP |
/// | `/demo/close` | the end of the connection, without an answer |
/// | `/demo/hang` | nothing, until the caller leaves |
/// | `/demo/interim` | 103, then an answer |
extension EmbeddedGateway {
    /// - Throws: `APIError` or `EmbeddedCall.Abandoned`.
    func serveProbe(_ call: EmbeddedCall) async throws {
        let request = call.request
        switch request.path {
        case "/demo/echo": try await serveEcho(call)
        case "/demo/events": try await serveEvents(call)
        case "/demo/websocket": try await WebSocketEcho.serve(call)
        case "/demo/upload":
            try await call.readBody { _ in }
            try await call.answer(200, json: ["bytes": .integer(Int64(call.receivedCount))])
        case "/demo/bytes":
            try await serveBytes(call, count: request.number("count", default: 1024), announced: nil)
        case "/demo/cut":
            let count = request.number("after", default: 100)
            try await serveBytes(call, count: count, announced: count + 1000)
        case "/demo/status":
            _ = try await call.body()
            let status = min(max(request.number("code", default: 500), 200), 599)
            try await call.answer(status, json: ["status": .integer(Int64(status))])
        case "/demo/early":
            _ = try await call.readSome { _ in }
            let status = min(max(request.number("code", default: 413), 400), 599)
            try await call.answer(status, json: ["error": ["message": "no more of this", "type": "request_too_large"]])
        case "/demo/nonsense":
            try await call.sendRaw(Array("HTTP/3.7 twenty all is well\r\n\n\u{0}".utf8))
        case "/demo/close":
            throw call.abandon()
        case "/demo/hang":
            while true { try await call.pause(.seconds(3600)) }
        case "/demo/interim":
            try await call.interim(103, [("Link", "</style.css>; rel=preload")])
            try await call.answer(200, text: "after an interim answer\n")
        default:
            throw APIError(404, "not_found", "no such path at this gateway")
        }
    }

    /// The credential is named by its field, and its value never shown.
    private func serveEcho(_ call: EmbeddedCall) async throws {
        let body = try await call.body()
        let request = call.request
        let fields: [JSONValue] = request.fields.map { field in
            let isSecret = ["authorization", "x-api-key"].contains(field.name.lowercased())
            return [.string(field.name), isSecret ? "<credential>" : .string(field.value)]
        }
        try await call.answer(
            200,
            json: [
                "method": .string(request.method), "target": .string(request.target), "fields": .array(fields),
                "bytes": .integer(Int64(body.count)),
                "sha256": .string(Base64URL.encode(SHA256.digest(body.span))),
            ])
    }

    private func serveEvents(_ call: EmbeddedCall) async throws {
        try await call.beginEvents()
        for number in 0..<max(0, call.request.number("count", default: 10)) {
            if number > 0 { try await call.pause(.milliseconds(call.request.number("interval", default: 100))) }
            try await call.send(["event": .integer(Int64(number))])
        }
        try await call.end()
    }

    /// - Parameter announced: nil for as many as are sent.
    private func serveBytes(_ call: EmbeddedCall, count: Int, announced: Int?) async throws {
        let count = min(max(0, count), 1 << 30)
        let isChunked = call.request.query["chunked"] == "1"
        let fields = [("Content-Type", "application/octet-stream")]
        try await call.begin(200, fields, length: isChunked ? nil : announced ?? count)
        let block = [UInt8](repeating: UInt8(ascii: "x"), count: 16 << 10)
        var sent = 0
        while sent < count {
            let size = min(block.count, count - sent)
            try await call.send(size == block.count ? block : Array(block.prefix(size)))
            sent += size
        }
        // What is not ended is cut.
        if announced == nil { try await call.end() }
    }
}
