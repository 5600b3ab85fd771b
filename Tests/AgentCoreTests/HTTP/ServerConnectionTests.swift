// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// A caller's connection: requests one behind the other, and what is refused.
@Suite(.timeLimit(.minutes(1)))
struct ServerConnectionTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let status: Int
        let request: String

        var testDescription: String { request.debugDescription }

        init(_ status: Int, _ request: String) {
            self.status = status
            self.request = request
        }
    }

    static let host = "Host: localhost\r\n"

    /// Each ends with a request that would reach the upstream if the one before left the two of different minds.
    static let smuggling: [Refusal] = [
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Content-Length: 5, 5\r\n\r\nhello"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Content-Length: +5\r\n\r\nhello"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999\r\n\r\nhello"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
        Refusal(
            400,
            "POST /api/ HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Transfer-Encoding:\u{b}chunked\r\n\r\n0\r\n\r\n"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        Refusal(501, "POST /api/ HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        Refusal(400, "POST /api/ HTTP/1.1\r\n\(host)Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        Refusal(400, "POST /api/ HTTP/1.0\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Refusal(400, "GET /api/ HTTP/1.1\r\n\(host)X: a\r\n b\r\n\r\n"),
        Refusal(400, "GET /api/ HTTP/1.1\r\n\(host)X: a\nY: b\r\n\r\n"),
        Refusal(400, "GET /api/ HTTP/1.1\n\(host)\r\n"),
        Refusal(400, "GET /api/ HTTP/1.1\r\n\(host)X: a\rb\r\n\r\n"),
        Refusal(400, "GET /api/ HTTP/1.1\r\n\(host)X: a\0b\r\n\r\n"),
        Refusal(400, "GET /api/ HTTP/1.1\r\n\(host)X : a\r\n\r\n"),
        Refusal(400, "GET /api/ HTTP/1.1\r\n\(host)Host: other\r\n\r\n"),
        Refusal(400, "GET /api/ HTTP/1.1\r\n\r\n"),
        Refusal(400, "G@T /api/ HTTP/1.1\r\n\(host)\r\n"),
        Refusal(400, "GET /api/ a HTTP/1.1\r\n\(host)\r\n"),
        Refusal(400, "GET http://localhost/api/ HTTP/1.1\r\n\(host)\r\n"),
        Refusal(400, "GET //evil/api/ HTTP/1.1\r\n\(host)\r\n"),
        Refusal(400, "GET /api/../../x HTTP/1.1\r\n\(host)\r\n"),
        Refusal(400, "GET /api/%2e%2e/x HTTP/1.1\r\n\(host)\r\n"),
        Refusal(400, "GET /api//x HTTP/1.1\r\n\(host)\r\n"),
    ]

    /// Refused for another reason, and framed: what follows must not be taken for a request either.
    static let refusedWithContent: [Refusal] = [
        Refusal(405, "TRACE /api/ HTTP/1.1\r\n\(host)Content-Length: 44\r\n\r\n"),
        Refusal(405, "CONNECT /api/ HTTP/1.1\r\n\(host)Content-Length: 44\r\n\r\n"),
        Refusal(403, "POST /api/ HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 44\r\n\r\n"),
        Refusal(403, "POST /api/ HTTP/1.1\r\n\(host)Origin: http://evil.example\r\nContent-Length: 44\r\n\r\n"),
        Refusal(404, "POST /nowhere HTTP/1.1\r\n\(host)Content-Length: 44\r\n\r\n"),
        Refusal(405, "POST /-/status HTTP/1.1\r\n\(host)Content-Length: 44\r\n\r\n"),
    ]

    @Test(arguments: smuggling)
    func `what is ambiguous is refused with 400, closed, and goes no further`(_ sample: Refusal) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(sample.request + "GET /api/smuggled HTTP/1.1\r\n\(Self.host)\r\n")
            let answer = try caller.answer()
            #expect(answer.status == sample.status, "\(answer.head)")
            #expect(answer.field("connection") == "close")
            #expect(answer.field("gateway-agent-error") != nil)
            #expect(try caller.rest().text == "")
            #expect(!upstream.isCalled)
        }
    }

    @Test(arguments: refusedWithContent)
    func `content behind a refused head is never taken for a request`(_ sample: Refusal) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(sample.request + "GET /api/smuggled HTTP/1.1\r\n\(Self.host)\r\n")
            let answer = try caller.answer()
            #expect(answer.field("connection") == "close", "\(answer.head)")
            #expect(try caller.rest().text == "")
            #expect(!upstream.isCalled)
        }
    }

    @Test(arguments: [
        Refusal(414, "GET /api/\(String(repeating: "a", count: 70_000)) HTTP/1.1\r\n\(host)\r\n"),
        Refusal(431, "GET /api/ HTTP/1.1\r\n\(host)X: \(String(repeating: "a", count: 70_000))\r\n\r\n"),
        Refusal(431, "GET /api/ HTTP/1.1\r\n\(host)\(String(repeating: "X: a\r\n", count: 9_000))\r\n"),
    ])
    func `what is too large is refused by its own status`(_ sample: Refusal) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(sample.request)
            #expect(try caller.answer().status == sample.status)
            #expect(!upstream.isCalled)
        }
    }

    @Test(arguments: [
        "Content-Length: 11\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n",
    ])
    func `content beyond the configured limit is refused, told or counted`(rest: String) async throws {
        try await withGateway({ configuration, _ in configuration.limits.contentBytes = 10 }) { agent, _ in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\n\(Self.host)\(rest)")
            #expect(try caller.answer().status == 413)
        }
    }

    @Test func `an answer may be larger than a request`() async throws {
        try await withGateway({ configuration, _ in configuration.limits.contentBytes = 10 }) { agent, upstream in
            upstream.serve { server in
                _ = try server.head()
                try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n")
            }
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\n\(Self.host)\r\n")
            let answer = try caller.answer()
            #expect(answer.status == 200)
            #expect(answer.body.contains("hello world"))
        }
    }

    @Test func `pipelined requests are answered in their order`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            let requests = (0..<20).map { number in
                number % 3 == 0
                    ? "POST /api/\(number) HTTP/1.1\r\n\(Self.host)Content-Length: 3\r\n\r\nabc"
                    : number % 3 == 1
                        ? "GET /nowhere/\(number) HTTP/1.1\r\n\(Self.host)\r\n"
                        : "POST /api/\(number) HTTP/1.1\r\n\(Self.host)Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            }
            upstream.serve { server in
                while true {
                    let head = try server.head()
                    _ = try head.contains("chunked") ? server.receive(through: "0\r\n\r\n") : server.text(3)
                    let path = head.split(separator: " ")[1]
                    try server.send("HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
                }
            }
            try caller.send(requests.joined())
            for number in 0..<20 {
                let answer = try caller.answer()
                if number % 3 == 1 {
                    #expect(answer.status == 404)
                    #expect(answer.body.contains("/nowhere/\(number)"))
                } else {
                    #expect(answer.body == "/v1/\(number)")
                }
            }
        }
    }

    @Test func `a head that stays unfinished is answered with 408`() async throws {
        try await withGateway({ configuration, _ in configuration.timeouts.requestHead = .milliseconds(50) }) {
            agent, _ in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost:")
            let answer = try caller.answer()
            #expect(answer.status == 408)
            #expect(try caller.end() == .orderly)
        }
    }

    @Test func `an idle connection ends in order when its time is over`() async throws {
        try await withGateway({ configuration, _ in configuration.timeouts.keepAlive = .milliseconds(50) }) {
            agent, _ in
            let caller = try agent.connect()
            #expect(try caller.rest() == ("", .orderly))
        }
    }

    @Test func `empty lines before a request are overlooked, a few of them`() async throws {
        try await withGateway { agent, _ in
            let caller = try agent.connect()
            #expect(try caller.call("\r\nGET /-/healthy HTTP/1.1\r\n\(Self.host)\r\n").status == 200)
        }
    }
}
