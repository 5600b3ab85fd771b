// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Dispatch
import Glibc
import Testing

@testable import AgentCore

/// Connections to an upstream, used again and again, and never at the cost of an answer.
@Suite(.timeLimit(.minutes(1)))
struct UpstreamPoolTests {
    static let request = "GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    static let success = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// One loop: the pool is a loop's own.
    static func oneLoop(_ configuration: inout Configuration, _: ScratchFolder) { configuration.threads = 1 }

    @Test func `calls one after the other share a connection, whoever calls`() async throws {
        try await withGateway(Self.oneLoop) { agent, upstream in
            let first = try agent.connect()
            try first.send(Self.request)
            let server = try upstream.accept()
            for number in 0..<10 {
                _ = try server.head()
                try server.send(Self.success)
                if number == 0 { _ = try first.answer() }
                let caller = number % 2 == 0 ? try agent.connect() : try agent.connectUnix()
                if number > 0 { continue }
                _ = caller
                break
            }
            for _ in 0..<10 {
                let caller = try agent.connect()
                try caller.send(Self.request)
                _ = try server.head()
                try server.send(Self.success)
                #expect(try caller.answer().body == "ok")
            }
            #expect(!upstream.isCalled)
        }
    }

    @Test func `a connection that the server closed while idle is not used again`() async throws {
        try await withGateway(Self.oneLoop) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            try first.send(Self.success)
            _ = try caller.answer()
            first.shutdownWriting()
            // The agent closes its side, too: then it has noticed.
            #expect(try first.end() == .orderly)
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
            let second = try upstream.accept()
            _ = try second.head()
            try second.send(Self.success)
            #expect(try caller.answer().status == 200)
        }
    }

    @Test(arguments: ["Connection: close\r\n", ""])
    func `an answer that ends its connection, or leaves bytes behind, leaves none to the next call`(
        _ field: String
    ) async throws {
        try await withGateway(Self.oneLoop) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            let rest = field.isEmpty ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" : ""
            try first.send("HTTP/1.1 200 OK\r\n\(field)Content-Length: 2\r\n\r\nok\(rest)")
            #expect(try caller.answer().body == "ok")
            _ = try first.end()
            try caller.send(Self.request)
            let second = try upstream.accept()
            _ = try second.head()
            try second.send(Self.success)
            #expect(try caller.answer().body == "ok")
        }
    }

    @Test func `bytes that an idle connection says unasked close it`() async throws {
        try await withGateway(Self.oneLoop) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            try first.send(Self.success)
            _ = try caller.answer()
            try first.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            _ = try first.end()
            try caller.send(Self.request)
            let second = try upstream.accept()
            _ = try second.head()
            try second.send(Self.success)
            #expect(try caller.answer().body == "ok")
        }
    }

    static let idempotent = [
        Self.request, "PUT /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi",
        "DELETE /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]

    @Test(arguments: idempotent)
    func `a request that may be sent twice goes out again when a kept connection was dead`(
        _ request: String
    ) async throws {
        try await withGateway(Self.oneLoop) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            try first.send(Self.success)
            _ = try caller.answer()
            try caller.send(request)
            _ = try first.head()
            first.close()
            let second = try upstream.accept()
            _ = try second.head()
            if request.hasPrefix("PUT") { #expect(try second.text(2) == "hi") }
            second.close()
            // Once, and not for ever; nor on a connection that was fresh.
            #expect(try caller.answer().status == 502)
            #expect(!upstream.isCalled)
        }
    }

    @Test(arguments: [false, true])
    func `an answer that nobody asked for, right behind another, reaches nobody`(isTLS: Bool) async throws {
        try await withGateway(tls: isTLS ? try TLSWorld() : nil, Self.oneLoop) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            // The agent's read takes a block, and the answer fills it: what comes behind waits in the kernel, or in TLS.
            let head = "HTTP/1.1 200 OK\r\nContent-Length: "
            let rest = BufferPool.blockSize - head.utf8.count - 4 - 5
            let answer = "\(head)\(rest)\r\n\r\n\(String(repeating: "x", count: rest))"
            try first.sendAtOnce([isTLS ? Self.success : answer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"])
            #expect(try caller.answer().status == 200)
            try caller.send(Self.request)
            let second = try upstream.accept()
            _ = try second.head()
            try second.send(Self.success)
            #expect(try caller.answer().body == "ok")
        }
    }

    @Test func `a POST is never sent twice`() async throws {
        try await withGateway(Self.oneLoop) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            try first.send(Self.success)
            _ = try caller.answer()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
            _ = try first.head()
            first.close()
            #expect(try caller.answer().status == 502)
            #expect(!upstream.isCalled)
        }
    }

    @Test func `a connection that died after a first byte of the answer is not tried again`() async throws {
        try await withGateway(Self.oneLoop) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            try first.send(Self.success)
            _ = try caller.answer()
            try caller.send(Self.request)
            _ = try first.head()
            try first.send("HTTP/1.1 2")
            first.close()
            #expect(try caller.answer().status == 502)
            #expect(!upstream.isCalled)
        }
    }

    @Test func `an idle connection is closed when its time is over`() async throws {
        try await withGateway({ configuration, _ in
            configuration.threads = 1
            configuration.timeouts.upstreamKeepAlive = .milliseconds(50)
        }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            try first.send(Self.success)
            _ = try caller.answer()
            #expect(try first.rest() == ("", .orderly))
        }
    }

    /// Calls of as many callers as there are connections, all under way at once.
    private static func callTogether(_ callers: [Wire], _ upstream: ScriptedUpstream, over known: [Wire]) throws
        -> [Wire]
    {
        for caller in callers { try caller.send(request) }
        let servers = known.isEmpty ? try callers.map { _ in try upstream.accept() } : known
        for server in servers { _ = try server.head() }
        for server in servers { try server.send(success) }
        for caller in callers { #expect(try caller.answer().body == "ok") }
        return servers
    }

    /// A pool for one, which keeps what is beyond that for so long.
    private static func surplus(_ time: Duration) -> (inout Configuration, ScratchFolder) -> Void {
        { configuration, _ in
            configuration.threads = 1
            configuration.limits.idleUpstreamConnections = 1
            configuration.timeouts.upstreamSurplus = time
            configuration.timeouts.upstreamKeepAlive = .seconds(600)
        }
    }

    @Test func `what many callers have used stays for those who call again at once`() async throws {
        try await withGateway(Self.surplus(.seconds(600))) { agent, upstream in
            let callers = try (0..<4).map { _ in try agent.connect() }
            let servers = try Self.callTogether(callers, upstream, over: [])
            for _ in 0..<3 { _ = try Self.callTogether(callers, upstream, over: servers) }
            #expect(!upstream.isCalled)
        }
    }

    @Test func `what many callers have used goes after a while but for the limit`() async throws {
        try await withGateway(Self.surplus(.milliseconds(50))) { agent, upstream in
            let callers = try (0..<4).map { _ in try agent.connect() }
            let servers = try Self.callTogether(callers, upstream, over: [])
            // Which one stays is the pool's affair.
            let ended = Shared(0)
            let end = DispatchSemaphore(value: 0)
            for server in servers {
                onThread {
                    while let head = try? server.head(), !head.isEmpty { try? server.send(Self.success) }
                    ended.update { $0 += 1 }
                    end.signal()
                }
            }
            for _ in 0..<3 { #expect(end.wait(timeout: .now() + .seconds(Wire.patience)) == .success) }
            #expect(try callers[0].call(Self.request).body == "ok")
            #expect(!upstream.isCalled && ended.value == 3)
        }
    }

    @Test func `with a limit of none each connection ends with its exchange`() async throws {
        try await withGateway({ configuration, _ in
            configuration.threads = 1
            configuration.limits.idleUpstreamConnections = 0
        }) { agent, upstream in
            let caller = try agent.connect()
            for _ in 0..<2 {
                try caller.send(Self.request)
                let server = try upstream.accept()
                _ = try server.head()
                try server.send(Self.success)
                #expect(try caller.answer().body == "ok")
                #expect(try server.end() == .orderly)
            }
        }
    }

    @Test(arguments: [false, true])
    func `no byte of one call is ever in another`(isTLS: Bool) async throws {
        let world = isTLS ? try TLSWorld() : nil
        try await withGateway(tls: world) { agent, upstream in
            // Answers with what was sent, in pieces, in either framing, now and then until the close.
            upstream.serve { server in
                while true {
                    let head = try server.head()
                    let number = Int(head.split(separator: " ")[1].split(separator: "/").last ?? "") ?? 0
                    var body: [UInt8] = []
                    if head.contains("chunked") {
                        while true {
                            let line = try server.receive(through: "\r\n")
                            guard let count = Int(line.dropLast(1), radix: 16) else { return }
                            body += try server.receive(count)
                            _ = try server.receive(2)
                            if count == 0 { break }
                        }
                    } else {
                        let field = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                        body = try server.receive(field.flatMap { Int($0.dropFirst(16)) } ?? 0)
                    }
                    switch number % 3 {
                    case 0:
                        try server.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
                        try server.send(body)
                    case 1:
                        try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                        for start in stride(from: 0, to: body.count, by: 9_000) {
                            let piece = body[start..<min(body.count, start + 9_000)]
                            try server.send("\(String(piece.count, radix: 16))\r\n")
                            try server.send(Array(piece))
                            try server.send("\r\n")
                        }
                        try server.send("0\r\n\r\n")
                    default:
                        try server.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                        try server.send(body)
                        return server.close()
                    }
                }
            }
            let wrong = Shared<[String]>([])
            let threads = (0..<12).map { thread in
                onThread {
                    var generator = SeededGenerator(seed: UInt64(thread))
                    do {
                        var caller = try agent.connect()
                        for round in 0..<40 {
                            let number = thread * 1_000 + round
                            let body = String(
                                repeating: "<\(number)>", count: Int.random(in: 0..<8_000, using: &generator))
                            let framing =
                                round % 2 == 0
                                ? "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                                : "Transfer-Encoding: chunked\r\n\r\n"
                                    + (body.isEmpty ? "" : "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n")
                                    + "0\r\n\r\n"
                            let answer = try caller.call(
                                "POST /api/\(number) HTTP/1.1\r\nHost: localhost\r\n\(framing)")
                            if answer.body != body || !answer.isWhole {
                                wrong.update { $0.append("\(number): \(answer.head) \(answer.body.prefix(60))") }
                            }
                            if round % 7 == 0 { caller = try agent.connect() }
                        }
                    } catch { wrong.update { $0.append("\(thread): \(error)") } }
                }
            }
            for thread in threads { thread.join() }
            #expect(wrong.value.isEmpty)
        }
    }
}
