// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What the log says of a call.
@Suite(.timeLimit(.minutes(1)))
struct CallRecordTests {
    @Test func `the bytes told of a call are its own, whatever the connection carried before`() async throws {
        try await withGateway { agent, upstream in
            upstream.serve { server in
                _ = try server.head()
                _ = try server.receive(5)
                try server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")
            }
            let caller = try agent.connect()
            let call = "POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
            #expect(try caller.call(call).body == "0123456789")
            // The line of a call has been written when the next turn of the loop begins.
            for _ in 0..<2 { #expect(try caller.get("/-/healthy").body == "ok\n") }

            let lines = agent.log.text.split(separator: "\n").filter { $0.contains("\"message\":\"call\"") }
            try #require(lines.count >= 2)
            #expect(lines[0].contains("\"received\":5,\"sent\":10,"))
            #expect(lines[1].contains("\"received\":0,\"sent\":3,"))
        }
    }

    @Test func `an answer to HEAD is told without content`() async throws {
        try await withGateway { agent, _ in
            let caller = try agent.connect()
            try caller.send("HEAD /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try caller.answer(toHead: true).status == 200)
            for _ in 0..<2 { #expect(try caller.get("/-/healthy").body == "ok\n") }
            let line = agent.log.text.split(separator: "\n").first { $0.contains("\"method\":\"HEAD\"") }
            #expect(line?.contains("\"sent\":0,") == true, "\(line ?? "")")
        }
    }
}
