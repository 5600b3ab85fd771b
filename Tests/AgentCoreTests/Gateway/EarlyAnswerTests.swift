// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// An upstream that answers before it has taken the whole request, and takes the rest then. The agent holds that rest, all of
/// which the caller has sent.
@Suite(.timeLimit(.minutes(1)))
struct EarlyAnswerTests {
    /// More than the kernel takes for a narrow upstream.
    private static let padding = (0..<6).map { "X-\($0): \(String(repeating: "a", count: 10_000))\r\n" }.joined()

    private static let request = "GET /api/ HTTP/1.1\r\nHost: localhost\r\n\(padding)\r\n"

    @Test func `a stream that waits for the rest gets it`() async throws {
        try await withGateway(isNarrow: true) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            #expect(try caller.receive(through: "hello").hasPrefix("HTTP/1.1 200 "))
            #expect(try server.head().contains("X-5: "))
            try server.send("5\r\nworld\r\n0\r\n\r\n")
            #expect(try caller.rest().text.contains("world"))
        }
    }

    @Test func `an answer that is whole at once does not take the rest away`() async throws {
        try await withGateway(isNarrow: true) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            let answer = try caller.answer()
            #expect(answer.body == "ok")
            // A next request would wait for what the upstream takes when it likes.
            #expect(answer.field("connection") == "close")
            #expect(try server.head().contains("X-5: "))
        }
    }

    @Test func `an answer that ends with the connection ends before the rest is taken`() async throws {
        try await withGateway(isNarrow: true) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request.replacing("HTTP/1.1", with: "HTTP/1.0"))
            let server = try upstream.accept()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
            #expect(try caller.rest().text.hasSuffix("ok"))
            #expect(try server.head().contains("X-5: "))
        }
    }

    @Test func `a refusal that comes early ends no connection of a caller whose request is whole`() async throws {
        try await withGateway(isNarrow: true) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            try upstream.accept().send("HTTP/1.1 429 Too Many\r\nContent-Length: 2\r\n\r\nno")
            let answer = try caller.answer()
            #expect(answer.status == 429 && answer.field("connection") != "close")
            #expect(try caller.get("/-/healthy").status == 200)
        }
    }

    /// An HTTP/1.0 caller on the Unix socket, for whom the agent collects what comes without a length.
    @Test func `an answer that is collected waits for the rest as well`() async throws {
        try await withGateway(isNarrow: true) { agent, upstream in
            let caller = try agent.connectUnix()
            try caller.send(Self.request.replacing("HTTP/1.1", with: "HTTP/1.0"))
            let server = try upstream.accept()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            #expect(try server.head().contains("X-5: "))
            try server.send("5\r\nworld\r\n0\r\n\r\n")
            #expect(try caller.answer().body == "helloworld")
        }
    }

    /// What was held is put out at once when it is sent for the second time.
    @Test func `a request sent again arrives whole`() async throws {
        let content = String(repeating: "abc", count: 100_000)
        try await withGateway(
            isNarrow: true, { configuration, folder in CredentialFlowTests.counting(&configuration, folder) }
        ) { agent, upstream in
            let caller = try agent.connect()
            let writer = onThread {
                try? caller.send(
                    "POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(content.utf8.count)\r\n\r\n\(content)")
            }
            let first = try upstream.accept()
            _ = try first.head()
            #expect(try first.text(content.utf8.count) == content)
            try first.send(CredentialFlowTests.refusal)
            let second = try upstream.accept()
            try second.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            #expect(try caller.receive(through: "hello").hasPrefix("HTTP/1.1 200 "))
            #expect(try second.head().contains("Bearer t-2"))
            #expect(try second.text(content.utf8.count) == content)
            try second.send("0\r\n\r\n")
            _ = try caller.receive(through: "0\r\n\r\n")
            writer.join()
        }
    }
}
