// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite
struct EmbeddedGatewayTests {
    private static let key = ("X-Api-Key", "key-of-the-tests")
    private static let json = ("Content-Type", "application/json")
    private static let version = ("anthropic-version", "2023-06-01")

    private func token(_ tool: Tool, _ issuer: EmbeddedIssuer) async throws -> (String, String) {
        let token = try #require(try await issuer.ask(tool).json?["token"]?.stringValue)
        return ("Authorization", "Bearer \(token)")
    }

    private func body(_ text: String, stream: Bool = false, model: String = "demo") -> String {
        JSONValue.object([
            "model": .string(model), "max_tokens": 9, "stream": .bool(stream),
            "messages": [["role": "user", "content": .string(text)]],
        ]).text
    }

    // MARK: Credentials

    @Test(arguments: SignatureAlgorithm.allCases)
    func `a token of the issuer is accepted, and named without being shown`(
        algorithm: SignatureAlgorithm
    ) async throws {
        try await Tool.withGateway(algorithm: algorithm) { tool, issuer, gateway in
            let credential = try await token(tool, issuer)
            let answer = try await tool.call("GET", "\(gateway.url)/v1/models", [credential])
            #expect(answer.status == 200)
            #expect(answer["x-demo-credential"] == "oidc")
            let mint = try #require(issuer.minted.first)
            #expect(answer["x-demo-token"] == mint.id)
            #expect(answer["x-demo-expires"] == "\(mint.expires)")
            #expect(answer["x-demo-fields"] == "host,connection,authorization")
            // A call is noted when it is over, which the caller may hear of first.
            while gateway.seen.isEmpty { await Task.yield() }
            #expect(gateway.seen.map(\.credential) == [.token(id: mint.id, expires: mint.expires)])
        }
    }

    @Test(arguments: [("X-Api-Key", "key-of-the-tests"), ("Authorization", "Bearer key-of-the-tests")])
    func `the key is accepted in either field`(name: String, value: String) async throws {
        try await Tool.withGateway { tool, _, gateway in
            let answer = try await tool.call("GET", "\(gateway.url)/v1/models", [(name, value)])
            #expect(answer.status == 200)
            #expect(answer["x-demo-credential"] == "api-key")
            #expect(answer["x-demo-token"] == nil)
        }
    }

    @Test func `tokens go on being verified while the issuer is down`() async throws {
        try await Tool.withGateway { tool, issuer, gateway in
            let credential = try await token(tool, issuer)
            let before = try await tool.call("GET", "\(gateway.url)/v1/models", [credential])
            await issuer.fail(.down)
            let after = try await tool.call("GET", "\(gateway.url)/v1/models", [credential])
            #expect([before.status, after.status] == [200, 200])
        }
    }

    @Test(arguments: [IssuerFault.expiredToken, .otherAudience])
    func `a token that is over or for others is refused`(fault: IssuerFault) async throws {
        try await Tool.withGateway { tool, issuer, gateway in
            await issuer.fail(fault)
            let credential = try await token(tool, issuer)
            let answer = try await tool.call("GET", "\(gateway.url)/v1/models", [credential])
            #expect(answer.status == 401)
            #expect(answer["www-authenticate"]?.hasPrefix("Bearer") == true)
            while gateway.seen.isEmpty { await Task.yield() }
            #expect(gateway.seen.map(\.credential) == [nil])
        }
    }

    @Test func `a token of another issuer is refused`() async throws {
        try await Tool.withIssuer { _, other in
            try await Tool.withGateway { tool, _, gateway in
                let credential = try await token(tool, other)
                let answer = try await tool.call("GET", "\(gateway.url)/v1/models", [credential])
                #expect(answer.status == 401)
            }
        }
    }

    @Test(
        arguments: [
            ([], 401), ([("X-Api-Key", "wrong")], 401), ([("Authorization", "Basic key-of-the-tests")], 401),
            ([("X-Api-Key", "key-of-the-tests"), ("Authorization", "Bearer key-of-the-tests")], 400),
            ([("X-Api-Key", "key-of-the-tests"), ("X-Other", "Bearer no-secret-here")], 400),
        ] as [([(String, String)], Int)])
    func `no credential, a wrong one, two of them or a placeholder are refused`(
        fields: [(String, String)], status: Int
    ) async throws {
        try await Tool.withGateway { tool, _, gateway in
            let answer = try await tool.call("GET", "\(gateway.url)/v1/models", fields)
            #expect(answer.status == status)
            #expect(gateway.placeholderCount == (fields.contains { $0.1.contains("no-secret") } ? 1 : 0))
        }
    }

    @Test func `a 401 has the shape of the provider`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            let openAI = try await tool.call("POST", "\(gateway.url)/v1/chat/completions", [Self.json], body: "{}")
            #expect(openAI.status == 401)
            #expect(openAI.json?["error"]?["type"] == "authentication_error")
            #expect(openAI.json?["type"] == nil)
            let anthropic = try await tool.call("POST", "\(gateway.url)/v1/messages", [Self.json], body: "{}")
            #expect(anthropic.status == 401)
            #expect(anthropic.json?["type"] == "error")
            #expect(anthropic.json?["error"]?["type"] == "authentication_error")
        }
    }

    @Test func `tokens and calls are refused on request`() async throws {
        try await Tool.withGateway { tool, issuer, gateway in
            let first = try await token(tool, issuer)
            let second = try await token(tool, issuer)
            let url = "\(gateway.url)/v1/models"
            gateway.refuse(tokenID: issuer.minted[0].id)
            var statuses = [
                try await tool.call("GET", url, [first]).status, try await tool.call("GET", url, [second]).status,
            ]
            gateway.refuseNext(1)
            for _ in 0..<2 { statuses.append(try await tool.call("GET", url, [second]).status) }
            #expect(statuses == [401, 200, 401, 200])
        }
    }

    // MARK: APIs

    @Test func `chat completions say again what the user said`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            let url = "\(gateway.url)/v1/chat/completions"
            let whole = try await tool.call("POST", url, [Self.key, Self.json], body: body("naïve \"数\""))
            #expect(whole.json?["choices"]?.arrayValue?.first?["message"]?["content"] == "naïve \"数\"")
            let stream = try await tool.call("POST", url, [Self.key, Self.json], body: body("a b c", stream: true))
            #expect(stream["content-type"]?.hasPrefix("text/event-stream") == true)
            let events = stream.text.split(separator: "\n\n").map { $0.dropFirst("data: ".count) }
            #expect(events.last == "[DONE]")
            let pieces = try events.dropLast().compactMap {
                try JSONValue.decode(Array($0.utf8).span)["choices"]?.arrayValue?.first?["delta"]?["content"]?
                    .stringValue
            }
            #expect(pieces == ["", "a ", "b ", "c"])
        }
    }

    @Test func `messages are streamed event by event`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            let answer = try await tool.call(
                "POST", "\(gateway.url)/v1/messages", [Self.key, Self.json, Self.version],
                body: body("a b c", stream: true))
            let names = answer.text.split(separator: "\n").filter { $0.hasPrefix("event: ") }.map { $0.dropFirst(7) }
            #expect(
                names == [
                    "message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta",
                    "content_block_delta", "content_block_stop", "message_delta", "message_stop",
                ])
        }
    }

    @Test func `responses end with the whole of what was streamed`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            let answer = try await tool.call(
                "POST", "\(gateway.url)/v1/responses", [Self.key, Self.json],
                body: #"{"model":"demo","input":"a b c","stream":true}"#)
            let last = try #require(answer.text.split(separator: "\n\n").last)
            #expect(last.hasPrefix("event: response.completed\n"))
            #expect(last.contains(#""text":"a b c""#))
        }
    }

    @Test(arguments: [
        ("/v1/chat/completions", #"{"model":"other","messages":[{"role":"user","content":"a"}]}"#, 404),
        ("/v1/chat/completions", #"{"model":"demo","messages":[]}"#, 400), ("/v1/chat/completions", "{", 400),
        ("/v1/messages", #"{"model":"demo","messages":[{"role":"user","content":"a"}]}"#, 400), ("/v2", "", 404),
    ])
    func `what a provider would refuse is refused`(path: String, body: String, status: Int) async throws {
        try await Tool.withGateway { tool, _, gateway in
            let answer = try await tool.call("POST", gateway.url + path, [Self.key, Self.json], body: body)
            #expect(answer.status == status)
            #expect(answer.json?["error"]?["message"]?.stringValue?.isEmpty == false)
        }
    }

    // MARK: Probes

    @Test func `echo shows the request and hides the credential`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            let answer = try await tool.call(
                "PATCH", "\(gateway.url)/demo/echo?a=%20b", [Self.key, ("X-Two", "1"), ("x-two", "2")], body: "abc")
            #expect(answer.json?["method"] == "PATCH")
            #expect(answer.json?["target"] == "/demo/echo?a=%20b")
            #expect(answer.json?["bytes"] == 3)
            #expect(answer.json?["sha256"]?.stringValue == Base64URL.encode(SHA256.digest("abc".utf8.span)))
            let fields = try #require(answer.json?["fields"]?.arrayValue)
            #expect(fields.contains(["X-Api-Key", "<credential>"]))
            #expect(fields.suffix(3) == [["X-Two", "1"], ["x-two", "2"], ["Content-Length", "3"]])
            #expect(!answer.text.contains("key-of-the-tests"))
        }
    }

    @Test func `events, bytes, uploads and statuses are as many as asked for`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            func get(_ path: String) async throws -> EmbeddedClient.Answer {
                try await tool.call("GET", gateway.url + path, [Self.key])
            }
            let events = try await get("/demo/events?count=3&interval=1").text
            #expect(events == "data: {\"event\":0}\n\ndata: {\"event\":1}\n\ndata: {\"event\":2}\n\n")
            #expect(try await get("/demo/bytes?count=100000").body.count == 100_000)
            #expect(try await get("/demo/bytes?count=100000&chunked=1").body.count == 100_000)
            #expect(try await get("/demo/status?code=418").status == 418)
            let upload = try await tool.call(
                "POST", "\(gateway.url)/demo/upload", [Self.key], body: String(repeating: "x", count: 300_000))
            #expect(upload.json?["bytes"] == 300_000)
            #expect(try await get("/demo/interim").text == "after an interim answer\n")
        }
    }

    @Test(arguments: ["/demo/cut?after=10", "/demo/cut?after=10&chunked=1", "/demo/nonsense", "/demo/close"])
    func `a broken answer is no whole answer`(path: String) async throws {
        try await Tool.withGateway { tool, _, gateway in
            _ = await #expect(throws: EmbeddedClient.Failure.self) {
                try await tool.call("GET", gateway.url + path, [Self.key])
            }
        }
    }

    @Test func `an early answer comes before the upload is whole`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            let head = "POST /demo/early HTTP/1.1\r\nHost: a\r\nX-Api-Key: key-of-the-tests\r\n"
            let (text, _) = try await tool.raw("\(head)Content-Length: 1000000\r\n\r\nbegun", to: gateway.url)
            #expect(text.hasPrefix("HTTP/1.1 413 "))
            #expect(text.contains("\r\nConnection: close\r\n"))
        }
    }

    @Test func `a caller that leaves is noticed`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            let (leaving, leave) = AsyncStream.makeStream(of: EmbeddedGateway.Seen.self)
            gateway.onCall { leave.yield($0) }
            let calling = Task {
                try await tool.raw(
                    "GET /demo/events?count=2&interval=3600000 HTTP/1.1\r\nHost: a\r\nX-Api-Key: key-of-the-tests\r\n\r\n",
                    to: gateway.url, leavingAfter: "data: ")
            }
            _ = try await calling.value
            for await seen in leaving {
                #expect(seen.wasAbandoned)
                break
            }
        }
    }

    @Test func `a WebSocket echoes what is masked and closes on what is not`() async throws {
        try await Tool.withGateway { tool, _, gateway in
            let handshake = """
                GET /demo/websocket HTTP/1.1\r
                Host: a\r
                X-Api-Key: key-of-the-tests\r
                Connection: Upgrade\r
                Upgrade: websocket\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                \r

                """
            // "Hi" behind the mask 1, 2, 3, 4; then a frame without a mask.
            let bytes = Array(handshake.utf8) + [0x81, 0x82, 1, 2, 3, 4, 0x48 ^ 1, 0x69 ^ 2] + [0x81, 0x01, 0x41]
            let (answer, _) = try await tool.raw(bytes, to: gateway.url)
            let text = String(decoding: answer, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 101 "))
            // The example of RFC 6455 §1.3.
            #expect(text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            #expect(answer.suffix(8) == [0x81, 2, 0x48, 0x69, 0x88, 2, 0x03, 0xEA])
        }
    }
}
