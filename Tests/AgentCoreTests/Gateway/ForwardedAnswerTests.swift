// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What comes back to the caller.
@Suite(.timeLimit(.minutes(1)))
struct ForwardedAnswerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        var request = "GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let answer: String
        /// The upstream closes behind it.
        var closes = false
        /// As the caller gets it, without Date and Via.
        let received: String
        /// The caller's connection serves another request.
        var keepsCaller = true

        var testDescription: String { what }
    }

    static let get10 = "GET /api/ HTTP/1.0\r\nHost: localhost\r\n\r\n"

    static let cases = [
        Case(
            what: "the status, its reason and repeated fields in their order",
            answer:
                "HTTP/1.1 299 Quite Fine\r\nSet-Cookie: a=1\r\nX: y\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
            received:
                "HTTP/1.1 299 Quite Fine\r\nSet-Cookie: a=1\r\nX: y\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok"),
        Case(
            what: "no hop-by-hop field",
            answer: "HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 3\r\nContent-Length: 0\r\n\r\n",
            received: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        Case(
            what: "chunks and trailers",
            answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
            received: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"),
        Case(
            what: "an answer until the close as chunks", answer: "HTTP/1.1 200 OK\r\n\r\nhello", closes: true,
            received: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        Case(
            what: "an answer to HEAD with the length and no content",
            request: "HEAD /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            received: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        Case(what: "204", answer: "HTTP/1.1 204 No Content\r\n\r\n", received: "HTTP/1.1 204 No Content\r\n\r\n"),
        Case(
            what: "304 with its length and no content",
            answer: "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 100\r\n\r\n",
            received: "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 100\r\n\r\n"),
        Case(
            what: "the answer of an HTTP/1.0 server", answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            received: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        Case(
            what: "plain content until the close for an HTTP/1.0 caller", request: get10,
            answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
            received: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok!", keepsCaller: false),
        Case(
            what: "content of a known length for an HTTP/1.0 caller", request: get10,
            answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            received: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", keepsCaller: false),
        Case(
            what: "a kept connection for an HTTP/1.0 caller that asks",
            request: "GET /api/ HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            received: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"),
        Case(
            what: "a close for a caller that asks",
            request: "GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            received: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", keepsCaller: false),
        Case(
            what: "403, 429 and 5xx as they are",
            answer: "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\n!",
            received: "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\n!"),
    ]

    /// Without the lines that differ from call to call, and with the others sorted as they came.
    static func normal(_ text: String) -> String {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return text }
        let lines = text[..<end.lowerBound].split(separator: "\r\n").filter {
            !$0.lowercased().hasPrefix("date:") && !$0.lowercased().hasPrefix("via:")
        }
        return lines.joined(separator: "\r\n") + text[end.lowerBound...]
    }

    @Test(arguments: cases)
    func `the caller gets`(_ sample: Case) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(sample.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(sample.answer)
            if sample.closes { server.close() }
            if sample.keepsCaller {
                // The next answer marks where this one ends.
                try caller.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let text = try caller.receive(through: "HTTP/1.1 404")
                #expect(Self.normal(String(text.dropLast("HTTP/1.1 404".count))) == sample.received)
            } else {
                let (text, end) = try caller.rest()
                #expect(Self.normal(text) == sample.received)
                #expect(end == .orderly)
            }
        }
    }

    @Test func `interim answers reach the caller before the final one is there`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            for number in 1...3 {
                try server.send("HTTP/1.1 103 Early Hints\r\nLink: <\(number)>\r\n\r\n")
                #expect(try caller.head().contains("Link: <\(number)>"))
            }
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try caller.answer().body == "ok")
        }
    }

    @Test func `an HTTP/1.0 caller gets no interim answer`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.get10)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try caller.rest().text.hasPrefix("HTTP/1.1 200"))
        }
    }
}
