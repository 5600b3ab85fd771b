// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Callers that leave: the upstream's call ends at once.
@Suite(.timeLimit(.minutes(1)))
struct DepartureTests {
    enum Leave: Sendable, CaseIterable {
        case close, reset

        func apply(_ wire: Wire) {
            if self == .close { wire.close() } else { wire.reset() }
        }
    }

    @Test(arguments: Leave.allCases)
    func `leaving while the upstream thinks ends the upstream's call`(_ leave: Leave) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            leave.apply(caller)
            _ = try server.end()
        }
    }

    @Test(arguments: Leave.allCases)
    func `leaving in the middle of an upload ends the upstream's call`(_ leave: Leave) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try server.text(5) == "hello")
            leave.apply(caller)
            _ = try server.end()
        }
    }

    @Test(arguments: Leave.allCases)
    func `leaving in the middle of an answer ends the upstream's call`(_ leave: Leave) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            #expect(try caller.receive(through: "x\r\n").hasSuffix("x\r\n"))
            leave.apply(caller)
            _ = try server.end()
        }
    }

    @Test func `leaving over the Unix socket ends the upstream's call, too`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connectUnix()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            caller.close()
            _ = try server.end()
        }
    }

    @Test func `leaving while the upstream pours out an answer ends it`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            _ = try caller.head()
            caller.close()
            let block = [UInt8](repeating: 1, count: 65_536)
            #expect(throws: Wire.Failure.self) { while true { try server.send(block) } }
        }
    }

    @Test func `leaving in the middle of a head, or at once, does no harm`() async throws {
        try await withGateway { agent, upstream in
            for text in ["", "GET /api/ HT", "GET /api/ HTTP/1.1\r\nHost: localhost\r\n"] {
                let caller = try agent.connect()
                try caller.send(text)
                caller.close()
            }
            #expect(try agent.get("/-/healthy").status == 200)
            #expect(!upstream.isCalled)
        }
    }

    @Test func `a request cut in its content never looks whole to the upstream`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(
                "POST /api/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try server.receive(through: "hello\r\n") == "5\r\nhello\r\n")
            caller.shutdownWriting()
            let (text, _) = try server.rest()
            #expect(text.isEmpty)
        }
    }

    @Test func `bad chunks of a caller are answered with 400 and reach the upstream as a cut`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(
                "POST /api/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try server.receive(through: "hello\r\n") == "5\r\nhello\r\n")
            try caller.send("-1\r\n")
            let answer = try caller.answer()
            #expect(answer.status == 400)
            #expect(answer.field("connection") == "close")
            #expect(try server.rest().text.isEmpty)
        }
    }

    @Test func `an upload that stands still is given up with 408`() async throws {
        try await withGateway(route: { $0.timeouts.idle = .milliseconds(100) }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try caller.answer().status == 408)
            #expect(try server.rest().text == "hello")
        }
    }
}
