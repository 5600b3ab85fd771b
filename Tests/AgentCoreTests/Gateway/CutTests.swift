// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// Upstreams that fail: an answer that was cut is never ended well, and what has no answer gets one that says why.
@Suite(.timeLimit(.minutes(1)))
struct CutTests {
    static let request = "GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test(
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n",
        ], [Wire.End.orderly, .reset])
    func `an answer that is cut is cut for the caller`(_ answer: String, _ end: Wire.End) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(answer)
            _ = try caller.head()
            if end == .reset { server.reset() } else { server.close() }
            let (text, callersEnd) = try caller.rest()
            #expect(callersEnd == .reset)
            #expect(!text.contains("0\r\n\r\n"))
        }
    }

    @Test func `what came before the cut goes on before it, even when both came at once`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.sendLast("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            #expect(try caller.head().hasPrefix("HTTP/1.1 200 OK\r\n"))
            let (text, end) = try caller.rest()
            #expect(text == "5\r\nhello\r\n")
            #expect(end == .reset)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ])
    func `TLS that ends without close_notify cuts the caller`(_ answer: String) async throws {
        try await withGateway(tls: try TLSWorld()) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(answer)
            _ = try caller.head()
            server.close(notifying: false)
            #expect(try caller.end() == .reset)
        }
    }

    @Test func `TLS that ends with close_notify ends an answer until the close`() async throws {
        try await withGateway(tls: try TLSWorld()) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\n\r\nhello")
            server.close()
            let answer = try caller.answer()
            #expect(answer.body == "hello")
            #expect(answer.isWhole)
        }
    }

    @Test func `a reset ends no answer that lasts until the close`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\n\r\nhello")
            #expect(try caller.receive(through: "hello\r\n").hasSuffix("hello\r\n"))
            server.reset()
            #expect(try caller.rest() == ("", .reset))
        }
    }

    @Test(arguments: [
        "hello\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \(String(repeating: "a", count: 100_000))\r\n\r\n",
        "\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\r\n\r\n",
    ])
    func `an answer that is no HTTP becomes 502 with a reason`(_ answer: String) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try? server.send(answer)
            let given = try caller.answer()
            #expect(given.status == 502)
            #expect(given.field("gateway-agent-error") == "upstream-nonsense")
            #expect(given.body.contains("127.0.0.1:\(upstream.port)"))
            // The caller may go on; the upstream's connection is not used again.
            #expect(try caller.get("/-/healthy").status == 200)
            _ = try server.end()
        }
    }

    @Test(arguments: ["", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-"])
    func `an upstream that closes before its answer becomes 502`(_ answer: String) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(answer)
            server.close()
            let given = try caller.answer()
            #expect(given.status == 502)
            #expect(given.field("gateway-agent-error") == "upstream-died")
        }
    }

    @Test func `nonsense behind a good head cuts the caller`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            _ = try caller.head()
            try server.send("zz\r\n")
            #expect(try caller.rest() == ("", .reset))
        }
    }

    @Test func `interim answers without end become 502`() async throws {
        try await withGateway { agent, upstream in
            upstream.serve { server in
                _ = try server.head()
                while true {
                    try server.send("HTTP/1.1 103 Early Hints\r\nX: \(String(repeating: "a", count: 4_000))\r\n\r\n")
                }
            }
            let caller = try agent.connect()
            try caller.send(Self.request)
            while true {
                let answer = try caller.answer()
                if answer.status == 103 { continue }
                #expect(answer.status == 502)
                break
            }
        }
    }

    @Test func `an upstream that says nothing becomes 504 in time`() async throws {
        try await withGateway(route: { $0.timeouts.header = .milliseconds(100) }) { agent, upstream in
            let caller = try agent.connect()
            let answer = try caller.call(Self.request)
            #expect(answer.status == 504)
            #expect(answer.field("gateway-agent-error") == "upstream-timeout")
            #expect(answer.body.contains("timeouts.header"))
            _ = try upstream.accept().end()
        }
    }

    @Test func `a stream that stays silent for too long is cut`() async throws {
        try await withGateway(route: { $0.timeouts.idle = .milliseconds(100) }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            _ = try caller.head()
            #expect(try caller.rest().end == .reset)
            _ = try server.end()
        }
    }

    @Test func `a refused connection, an unknown name and a dead socket each become 502`() async throws {
        let nobody = try PortReservation(#require(SocketAddress(ip: "127.0.0.1", port: 0)))
        let port = try #require(nobody.address.port)
        try await withGateway({ configuration, folder in
            let key = configuration.routes[0]
            configuration.routes = [
                RouteSpec.test("/refused/", port: port),
                RouteSpec(
                    prefix: "/unknown/",
                    upstream: UpstreamSpec(transport: .plain, host: "nobody.invalid", port: 80, path: "/"),
                    injections: key.injections, allow: AllowSpec()),
                RouteSpec(
                    prefix: "/socket/",
                    upstream: UpstreamSpec(
                        transport: .unix(socket: folder.path("nobody.sock")), host: "localhost", port: 80, path: "/"),
                    injections: key.injections, allow: AllowSpec()),
            ]
        }) { agent, _ in
            let caller = try agent.connect()
            for (path, code) in [("/refused/", "unreachable"), ("/unknown/", "dns"), ("/socket/", "unreachable")] {
                let answer = try caller.get(path)
                #expect(answer.status == 502, "\(answer)")
                #expect(answer.field("gateway-agent-error") == code)
                // What there is to be done where the name is right.
                let repair = "; see whether the upstream of route \(path) runs"
                #expect(answer.body.contains(repair) == (code == "unreachable"), "\(answer.body)")
            }
        }
        withExtendedLifetime(nobody) {}
    }

    @Test func `a certificate of an unknown authority becomes 502, and no byte of the request is sent`() async throws {
        let world = try TLSWorld()
        let stranger = try TLSWorld()
        try await withGateway(tls: world, route: { $0.tls.authoritiesPath = stranger.authorityFile }) {
            agent, upstream in
            upstream.serve { server in _ = try server.head() }
            let answer = try agent.get("/api/")
            #expect(answer.status == 502)
            #expect(answer.field("gateway-agent-error") == "tls")
        }
    }
}
