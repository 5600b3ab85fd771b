// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// The agent without a descriptor left. In processes of their own, since the limit is the whole process's.
@Suite struct ScarcityTests {
    @Test func `without descriptors a caller waits, a call in hand is told, and all goes on when there are some again`()
        async throws
    {
        // Here, where it has descriptors for whatever reaches it.
        let upstream = try ScriptedUpstream()
        defer { upstream.close() }
        upstream.serve { server in
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        }
        await #expect(processExitsWith: .success) { [port = upstream.port as UInt16] in
            try await withGateway { configuration, _ in
                configuration.threads = 1
            } route: { route in
                route = .test("/api/", port: port)
            } _: { agent, _ in
                let early = try agent.connect()
                try #require(try early.get("/api/").status == 200)
                // The callers' own ends.
                var spare = try (0..<16).map { _ in try Wire(family: AF_INET) }
                var late: [Wire] = []
                func call() throws {
                    try #require(!spare.isEmpty)
                    let caller = spare.removeLast()
                    try caller.connect(to: agent.tcp)
                    try caller.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    late.append(caller)
                }

                // The agent may still let go of some: callers come until one finds none.
                var rest: [Int32] = []
                while !agent.log.text.contains("connections cannot be accepted") {
                    rest += Self.takeAll()
                    try call()
                    // An answer means that the loop has been through the events that came before the question.
                    for _ in 0..<3 { try #require(try early.get("/-/healthy").status == 200) }
                }
                var refused = try early.get("/api/")
                // Whoever accepts may have been the first to find none, and something may have been let go of since.
                for _ in 0..<10 where refused.status == 200 {
                    rest += Self.takeAll()
                    refused = try early.get("/api/")
                }
                try #require(refused.status == 502 && refused.body.contains("Too many open files"), "\(refused)")

                // Two wait now, and there is one for the first of them.
                try call()
                close(rest.removeLast())
                try #require(try late[late.count - 2].head().hasPrefix("HTTP/1.1 200 "))
                for descriptor in rest { close(descriptor) }
                try #require(try late[late.count - 1].head().hasPrefix("HTTP/1.1 200 "))
                for caller in late.dropLast(2) { try #require(try caller.head().hasPrefix("HTTP/1.1 200 ")) }
                try #require(try early.get("/api/").status == 200)
                // Told once, however often it was tried.
                let count = agent.log.text.split(separator: "\n").count { $0.contains("cannot be accepted") }
                try #require(count == 1)
            }
        }
    }

    /// Every descriptor that the process may still open.
    private static func takeAll() -> [Int32] {
        var limit = rlimit(rlim_cur: 256, rlim_max: 256)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        var taken: [Int32] = []
        while true {
            let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
            if descriptor < 0 { return taken }
            taken.append(descriptor)
        }
    }
}
