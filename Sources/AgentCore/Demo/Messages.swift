// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Anthropic's `POST /v1/messages`.
enum Messages {
    static func serve(_ call: EmbeddedCall) async throws {
        guard call.request["anthropic-version"] != nil else {
            throw APIError.invalid("anthropic-version: header is required")
        }
        let prompt = try await DemoModel.prompt(call, conversation: "messages")
        func message(_ content: [JSONValue], stop: JSONValue, written: JSONValue) -> JSONValue {
            [
                "id": EmbeddedCall.identifier("msg_"), "type": "message", "role": "assistant",
                "model": .string(prompt.model.name), "content": .array(content), "stop_reason": stop,
                "stop_sequence": .null, "usage": ["input_tokens": prompt.count, "output_tokens": written],
            ]
        }
        guard prompt.isStreamed else {
            let text: JSONValue = ["type": "text", "text": .string(prompt.text)]
            return try await call.answer(200, json: message([text], stop: "end_turn", written: prompt.count))
        }
        func send(_ type: String, _ members: [String: JSONValue]) async throws {
            try await call.send(event: type, .object(members.merging(["type": .string(type)]) { $1 }))
        }
        try await call.beginEvents()
        try await send("message_start", ["message": message([], stop: .null, written: 1)])
        try await send("content_block_start", ["index": 0, "content_block": ["type": "text", "text": ""]])
        try await send("ping", [:])
        for piece in prompt.pieces {
            if prompt.model.pace > .zero { try await call.pause(prompt.model.pace) }
            let delta: JSONValue = ["type": "text_delta", "text": .string(piece)]
            try await send("content_block_delta", ["index": 0, "delta": delta])
        }
        try await send("content_block_stop", ["index": 0])
        try await send(
            "message_delta",
            ["delta": ["stop_reason": "end_turn", "stop_sequence": .null], "usage": ["output_tokens": prompt.count]])
        try await send("message_stop", [:])
        try await call.end()
    }
}
