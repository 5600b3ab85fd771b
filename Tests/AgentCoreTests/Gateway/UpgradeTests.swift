// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// `Expect: 100-continue`, and another protocol over the connection.
@Suite(.timeLimit(.minutes(1)))
struct UpgradeTests {
    static let handshake =
        "GET /api/ws HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    static let accepted =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

    @Test func `the handshake carries the credential, and bytes pass both ways until both ends`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.handshake + "early")
            let server = try upstream.accept()
            let head = try server.head()
            #expect(head.hasPrefix("GET /v1/ws HTTP/1.1\r\n"))
            #expect(head.contains("authorization: Bearer \(Marker.token)\r\n"))
            #expect(head.lowercased().contains("connection: upgrade\r\n"))
            #expect(head.lowercased().contains("upgrade: websocket\r\n"))
            #expect(head.contains("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
            try server.send(Self.accepted + "first")
            let answer = try caller.head()
            #expect(answer.hasPrefix("HTTP/1.1 101"))
            #expect(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            #expect(try caller.text(5) == "first")
            #expect(try server.text(5) == "early")
            for number in 100..<200 {
                try caller.send("\(number)")
                #expect(try server.text(3) == "\(number)")
                try server.send("\(number)")
                #expect(try caller.text(3) == "\(number)")
            }
            // One side ends, and still hears the other.
            caller.shutdownWriting()
            #expect(try server.rest() == ("", .orderly))
            try server.send("last")
            server.close()
            #expect(try caller.rest() == ("last", .orderly))
        }
    }

    @Test func `an upstream that refuses the upgrade answers as to any request`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.handshake)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno")
            let answer = try caller.answer()
            #expect(answer.status == 400)
            #expect(answer.body == "no")
            #expect(try caller.get("/-/healthy").status == 200)
        }
    }

    @Test func `a tunnel whose upstream breaks is cut`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.handshake)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(Self.accepted)
            _ = try caller.head()
            server.reset()
            #expect(try caller.rest() == ("", .reset))
            #expect(try agent.get("/-/metrics").body.contains("aborts_total{route=\"/api/\",by=\"upstream\"} 1\n"))
        }
    }

    @Test func `a tunnel whose caller breaks is cut`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.handshake)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(Self.accepted)
            _ = try caller.head()
            caller.reset()
            #expect(try server.rest() == ("", .reset))
            let metrics = try agent.get("/-/metrics").body
            #expect(metrics.contains("aborts_total{route=\"/api/\",by=\"client\"} 1\n"))
            #expect(metrics.contains("aborts_total{route=\"/api/\",by=\"upstream\"} 0\n"))
        }
    }

    @Test func `a tunnel is cut at the drain limit`() async throws {
        try await withGateway({ configuration, _ in configuration.timeouts.drain = .milliseconds(100) }) {
            agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.handshake)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(Self.accepted)
            _ = try caller.head()
            agent.stop()
            #expect(try caller.rest() == ("", .reset))
            try agent.waitUntilStopped()
        }
    }

    @Test func `content is invited when there is a connection for it, and not when the call is refused`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            let fields = "Host: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            try caller.send("POST /api/ HTTP/1.1\r\n\(fields)")
            let server = try upstream.accept()
            let head = try server.head()
            #expect(!head.lowercased().contains("expect:"))
            #expect(try caller.head() == "HTTP/1.1 100 Continue\r\n\r\n")
            try caller.send("hello")
            #expect(try server.text(5) == "hello")
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try caller.answer().body == "ok")

            try caller.send("POST /nowhere HTTP/1.1\r\n\(fields)")
            #expect(try caller.answer().status == 404)
            #expect(try caller.rest().text.isEmpty)
        }
    }

    @Test func `content is not invited once an answer has begun`() async throws {
        try await withGateway(isNarrow: true) { agent, upstream in
            let caller = try agent.connect()
            // More than the kernel takes for this upstream: the agent has not asked for the rest when it is answered.
            let padding = (0..<6).map { "X-\($0): \(String(repeating: "a", count: 10_000))\r\n" }.joined()
            let early = String(repeating: "b", count: 60_000)
            try caller.send(
                "POST /api/ HTTP/1.1\r\nHost: localhost\r\n\(padding)Content-Length: 60005\r\n"
                    + "Expect: 100-continue\r\n\r\n\(early)")
            let server = try upstream.accept()
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            #expect(try caller.head().hasPrefix("HTTP/1.1 200 "))
            #expect(try caller.text(5) == "hello")
            // Now it comes to it.
            #expect(try server.head().contains("X-5: "))
            #expect(try server.text(early.utf8.count) == early)
            try caller.send("after")
            #expect(try server.text(5) == "after")
            try server.send("world")
            #expect(try caller.rest().text == "world")
        }
    }
}
