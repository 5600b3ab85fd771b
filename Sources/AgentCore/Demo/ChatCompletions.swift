// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// OpenAI's `POST /v1/chat/completions`.
enum ChatCompletions {
    static func serve(_ call: EmbeddedCall) async throws {
        let prompt = try await DemoModel.prompt(call, conversation: "messages")
        let id = EmbeddedCall.identifier("chatcmpl-")
        let created = EmbeddedCall.now
        func document(_ object: JSONValue, _ choices: JSONValue, usage: JSONValue) -> JSONValue {
            [
                "id": id, "object": object, "created": created, "model": .string(prompt.model.name),
                "choices": choices, "usage": usage,
            ]
        }
        let count = prompt.count.integerValue ?? 0
        let usage: JSONValue = [
            "prompt_tokens": .integer(count), "completion_tokens": .integer(count), "total_tokens": .integer(2 * count),
        ]
        guard prompt.isStreamed else {
            let message: JSONValue = ["role": "assistant", "content": .string(prompt.text), "refusal": .null]
            let choice: JSONValue = ["index": 0, "message": message, "logprobs": .null, "finish_reason": "stop"]
            return try await call.answer(200, json: document("chat.completion", [choice], usage: usage))
        }
        func chunk(_ delta: JSONValue, finish: JSONValue = .null) -> JSONValue {
            document(
                "chat.completion.chunk",
                [["index": 0, "delta": delta, "logprobs": .null, "finish_reason": finish]], usage: .null)
        }
        try await call.beginEvents()
        try await call.send(chunk(["role": "assistant", "content": ""]))
        for piece in prompt.pieces {
            if prompt.model.pace > .zero { try await call.pause(prompt.model.pace) }
            try await call.send(chunk(["content": .string(piece)]))
        }
        try await call.send(chunk([:], finish: "stop"))
        try await call.send(document("chat.completion.chunk", [], usage: usage))
        try await call.send("data: [DONE]\n\n")
        try await call.end()
    }
}

/// OpenAI's `POST /v1/responses`, which Codex calls.
enum Responses {
    static func serve(_ call: EmbeddedCall) async throws {
        let prompt = try await DemoModel.prompt(call, conversation: "input")
        let id = EmbeddedCall.identifier("resp_")
        let itemID = EmbeddedCall.identifier("msg_")
        let created = EmbeddedCall.now
        let part: JSONValue = ["type": "output_text", "text": .string(prompt.text), "annotations": []]
        func item(_ status: JSONValue, _ content: [JSONValue]) -> JSONValue {
            ["id": itemID, "type": "message", "role": "assistant", "status": status, "content": .array(content)]
        }
        func response(_ status: JSONValue, _ output: [JSONValue]) -> JSONValue {
            let count = prompt.count.integerValue ?? 0
            let usage: JSONValue = [
                "input_tokens": .integer(count), "input_tokens_details": ["cached_tokens": 0],
                "output_tokens": .integer(count), "output_tokens_details": ["reasoning_tokens": 0],
                "total_tokens": .integer(2 * count),
            ]
            return [
                "id": id, "object": "response", "created_at": created, "status": status,
                "model": .string(prompt.model.name), "output": .array(output), "parallel_tool_calls": true,
                "tool_choice": "auto", "tools": [], "error": .null, "incomplete_details": .null, "instructions": .null,
                "metadata": [:], "usage": output.isEmpty ? .null : usage,
            ]
        }
        guard prompt.isStreamed else {
            return try await call.answer(200, json: response("completed", [item("completed", [part])]))
        }
        try await call.beginEvents()
        var number: Int64 = 0
        func send(_ type: String, _ members: [String: JSONValue]) async throws {
            var event = members
            event["type"] = .string(type)
            event["sequence_number"] = .integer(number)
            number += 1
            try await call.send(event: type, .object(event))
        }
        let place: [String: JSONValue] = ["item_id": itemID, "output_index": 0, "content_index": 0]
        func placed(_ members: [String: JSONValue]) -> [String: JSONValue] { place.merging(members) { $1 } }
        try await send("response.created", ["response": response("in_progress", [])])
        try await send("response.output_item.added", ["output_index": 0, "item": item("in_progress", [])])
        try await send(
            "response.content_part.added", placed(["part": ["type": "output_text", "text": "", "annotations": []]]))
        for piece in prompt.pieces {
            if prompt.model.pace > .zero { try await call.pause(prompt.model.pace) }
            try await send("response.output_text.delta", placed(["delta": .string(piece), "logprobs": []]))
        }
        try await send("response.output_text.done", placed(["text": .string(prompt.text), "logprobs": []]))
        try await send("response.content_part.done", placed(["part": part]))
        try await send("response.output_item.done", ["output_index": 0, "item": item("completed", [part])])
        try await send("response.completed", ["response": response("completed", [item("completed", [part])])])
        try await call.end()
    }
}
