// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// An HTTP/1.0 caller on the Unix socket sees no cut: an answer without a length reaches it whole and with one, or not at
/// all.
@Suite(.timeLimit(.minutes(1)))
struct CollectedAnswerTests {
    static let request = "GET /api/ HTTP/1.0\r\n\r\n"
    static let kept = "GET /api/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test(arguments: [
        [chunked, "5\r\nhel", "lo\r\n6\r\n world\r\n0\r\nX: y", "\r\n\r\n"],
        ["HTTP/1.1 200 OK\r\n\r\n", "hello", " world"],
        ["HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello world"],
    ])
    func `an answer without a length gets one`(_ pieces: [String]) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connectUnix()
            for _ in 1...2 {
                try caller.send(Self.kept)
                let server = try upstream.accept()
                _ = try server.head()
                for piece in pieces { try server.send(piece) }
                // The end of an answer in chunks does not need that of the connection; and what comes behind it is
                // nobody's answer.
                if pieces[0] == Self.chunked { try? server.send("HTTP/1.1 200 OK\r\n\r\nstray") }
                server.close()
                let answer = try caller.answer()
                #expect(answer.status == 200)
                #expect(answer.body == "hello world")
                #expect(answer.fields("content-length") == ["11"])
                #expect(answer.field("connection") == "keep-alive")
            }
        }
    }

    @Test(
        arguments: [
            "\(chunked)5\r\nhello\r\n", "\(chunked)5\r\nhel", "\(chunked)5\r\nhello\r\n0\r\n",
            "HTTP/1.1 200 OK\r\n\r\nhello",
        ], [Wire.End.orderly, .reset])
    func `an answer that is cut becomes 502`(_ answer: String, _ end: Wire.End) async throws {
        if end == .orderly, !answer.hasPrefix(Self.chunked) { return }
        try await withGateway { agent, upstream in
            let caller = try agent.connectUnix()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(answer)
            if end == .reset { server.reset() } else { server.close() }
            let given = try caller.answer()
            #expect(given.status == 502)
            // A reset may overtake the head itself.
            let word = given.field("gateway-agent-error")
            #expect(word == "upstream-cut" || end == .reset && word == "upstream-died")
            #expect(!given.body.contains("hello"))
        }
    }

    @Test func `nonsense behind a good head becomes 502`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connectUnix()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("\(Self.chunked)zz\r\n")
            let given = try caller.answer()
            #expect(given.status == 502)
            #expect(given.field("gateway-agent-error") == "upstream-nonsense")
            _ = try server.end()
        }
    }

    @Test(arguments: ["text/event-stream", "Text/Event-Stream ; charset=utf-8"])
    func `an event stream is refused at once, with the repair`(_ type: String) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connectUnix()
            try caller.send(Self.kept)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n")
            let given = try caller.answer()
            #expect(given.status == 502)
            #expect(given.field("gateway-agent-error") == "length-unknown")
            #expect(given.body.contains("127.0.0.1:\(upstream.port)"))
            #expect(given.body.contains("proxy_http_version 1.1"))
            // Nobody reads it: the model is not to go on.
            _ = try server.end()
            #expect(try caller.get("/-/healthy").status == 200)
        }
    }

    @Test(arguments: [(0, 200), (1, 502)])
    func `what is collected has a bound`(_ excess: Int, _ status: Int) async throws {
        try await withGateway { agent, upstream in
            upstream.serve { server in
                _ = try server.head()
                try server.send("HTTP/1.1 200 OK\r\n\r\n")
                try server.send([UInt8](repeating: 0x61, count: Exchange.collectLimit + excess))
                server.close()
            }
            let answer = try agent.connectUnix().call(Self.request)
            #expect(answer.status == status)
            if status == 200 {
                #expect(answer.isWhole && answer.body.utf8.count == Exchange.collectLimit)
            } else {
                #expect(answer.field("gateway-agent-error") == "length-unknown")
                #expect(answer.body.contains("\(Exchange.collectLimit) bytes"))
            }
        }
    }

    @Test func `all that is collected at once has a bound, and is given back`() async throws {
        try await withGateway { configuration, _ in
            configuration.threads = 1
        } _: { agent, upstream in
            upstream.serve { server in
                let isLarge = try server.head().hasPrefix("GET /v1/large ")
                try server.send("HTTP/1.1 200 OK\r\n\r\n")
                try server.send([UInt8](repeating: 0x61, count: isLarge ? Exchange.collectLimit : 1))
                server.close()
            }
            let small = "GET /api/small HTTP/1.0\r\n\r\n"
            // These do not read what the agent has collected for them.
            let lazy = try (0..<HeldContent.limit / Exchange.collectLimit).map { _ in
                let caller = try agent.connectUnix()
                try caller.send("GET /api/large HTTP/1.0\r\n\r\n")
                return (caller, try caller.head())
            }
            #expect(lazy.allSatisfy { $0.1.hasPrefix("HTTP/1.1 200 ") })
            let refused = try agent.connectUnix().call(small)
            #expect(refused.status == 502)
            #expect(refused.field("gateway-agent-error") == "length-unknown")
            for (caller, _) in lazy { #expect(try caller.end() == .orderly) }
            #expect(try agent.connectUnix().call(small).status == 200)
        }
    }

    @Test func `an answer that stays silent for too long becomes 504`() async throws {
        try await withGateway(route: { $0.timeouts.idle = .milliseconds(100) }) { agent, upstream in
            let caller = try agent.connectUnix()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("\(Self.chunked)5\r\nhello\r\n")
            let given = try caller.answer()
            #expect(given.status == 504)
            #expect(given.field("gateway-agent-error") == "upstream-timeout")
            #expect(given.body.contains("timeouts.idle"))
            _ = try server.end()
        }
    }

    @Test func `a caller that leaves meanwhile cancels the upstream call`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connectUnix()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("\(Self.chunked)5\r\nhello\r\n")
            caller.close()
            _ = try server.end()
        }
    }

    @Test func `an upload goes on while its answer is collected`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connectUnix()
            try caller.send("POST /api/ HTTP/1.0\r\nContent-Length: 10\r\n\r\nhello")
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try server.text(5) == "hello")
            try server.send("\(Self.chunked)3\r\nyes\r\n")
            try caller.send("world")
            #expect(try server.text(5) == "world")
            try server.send("0\r\n\r\n")
            let answer = try caller.answer()
            #expect(answer.body == "yes")
            #expect(answer.field("content-length") == "3")
        }
    }

    @Test func `an answer that tells its length, and a caller of HTTP 1.1, get it as it comes`() async throws {
        try await withGateway { agent, upstream in
            for (request, head) in [
                (Self.request, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), (CutTests.request, Self.chunked),
            ] {
                let caller = try agent.connectUnix()
                try caller.send(request)
                let server = try upstream.accept()
                _ = try server.head()
                try server.send(head)
                #expect(try caller.head().hasPrefix("HTTP/1.1 200 "))
                server.reset()
                // Not ended well, which both can see without a reset.
                let rest = try caller.rest().text
                #expect(!rest.contains("0\r\n"))
            }
        }
    }
}
