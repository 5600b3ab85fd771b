// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The demo's models. They say again what the user said last, a word at a time.
struct DemoModel {
    let name: String
    /// Between two words.
    let pace: Duration

    static let all = [
        DemoModel(name: "demo", pace: .zero), DemoModel(name: "demo-slow", pace: .milliseconds(250)),
    ]

    /// What a call asks of a model, whichever API it came by.
    struct Prompt {
        let model: DemoModel
        let text: String
        let isStreamed: Bool

        /// A word with the blank behind it; a short text letter by letter, since a stream of one piece is none.
        var pieces: [String] {
            var pieces: [String] = []
            var piece = ""
            for character in text {
                piece.append(character)
                if character == " " || character == "\n" {
                    pieces.append(piece)
                    piece = ""
                }
            }
            if !piece.isEmpty { pieces.append(piece) }
            return pieces.count < 3 ? text.map { String($0) } : pieces
        }

        /// A word is a token here.
        var count: JSONValue { .integer(Int64(text.split(whereSeparator: { $0 == " " || $0 == "\n" }).count)) }
    }

    /// Reads the content of a call.
    ///
    /// - Parameter conversation: the member that holds the messages; for OpenAI's responses it may be a text.
    /// - Throws: `APIError` or `EmbeddedCall.Abandoned`.
    static func prompt(_ call: EmbeddedCall, conversation: String) async throws -> Prompt {
        let body = try await call.body()
        guard call.request["content-type"]?.hasPrefix("application/json") == true else {
            throw APIError.invalid("the content has to be application/json")
        }
        guard let document = try? JSONValue.decode(body.span, maximumBytes: 64 << 20), document.objectValue != nil
        else { throw APIError.invalid("the content is no JSON object") }
        guard let name = document["model"]?.stringValue else { throw APIError.invalid("model is missing") }
        guard let model = all.first(where: { $0.name == name }) else {
            throw APIError(404, "not_found", "there is no model \(String(printing: name, limit: 60))")
        }
        guard let text = document[conversation].flatMap(lastUserText) else {
            throw APIError.invalid("\(conversation) holds nothing of a user")
        }
        return Prompt(model: model, text: text, isStreamed: document["stream"]?.boolValue ?? false)
    }

    private static func lastUserText(_ conversation: JSONValue) -> String? {
        if let text = conversation.stringValue { return text }
        let message = conversation.arrayValue?.last { $0["role"]?.stringValue == "user" }
        switch message?["content"] {
        case .string(let text): return text
        case .array(let parts): return parts.compactMap { $0["text"]?.stringValue }.joined()
        default: return nil
        }
    }
}

/// `GET /v1/models` and `GET /v1/models/ID`.
enum Models {
    static func serve(_ call: EmbeddedCall) async throws {
        let path = call.request.path
        if path == "/v1/models" {
            return try await call.answer(
                200, json: ["object": "list", "has_more": false, "data": .array(DemoModel.all.map(describe))])
        }
        let name = path.dropFirst("/v1/models/".count)
        guard let model = DemoModel.all.first(where: { $0.name == name }) else {
            throw APIError(404, "not_found", "there is no such model")
        }
        try await call.answer(200, json: describe(model))
    }

    private static func describe(_ model: DemoModel) -> JSONValue {
        [
            "id": .string(model.name), "object": "model", "created": 1_767_225_600, "owned_by": "gateway-agent",
            "type": "model", "display_name": .string(model.name), "created_at": "2026-01-01T00:00:00Z",
        ]
    }
}

extension EmbeddedCall {
    /// Begins an answer of server-sent events.
    func beginEvents() async throws(Abandoned) {
        try await begin(200, [("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-store")])
    }

    /// One event; its name is told where the API does so.
    func send(event name: String? = nil, _ data: JSONValue) async throws(Abandoned) {
        try await send((name.map { "event: \($0)\n" } ?? "") + "data: \(data.text)\n\n")
    }

    /// An identifier as the providers make them: `msg_…`.
    static func identifier(_ prefix: String) -> JSONValue {
        .string("\(prefix)\(Base64URL.encode(RandomBytes.make(12)))")
    }

    /// Seconds since 1970.
    static var now: JSONValue { .integer(SystemClock().now().wall / 1_000_000_000) }
}
