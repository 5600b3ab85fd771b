// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// The agent as a whole: new configurations, its end, its limits, what it leaves behind.
@Suite(.timeLimit(.minutes(1)))
struct AgentTests {
    static let request = "GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    static let success = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    static func answerAll(_ server: Wire) throws {
        while true {
            _ = try server.head()
            try server.send(success)
        }
    }

    // MARK: Reload

    @Test func `a stream goes on through a reload, on its connection and to its end`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            _ = try caller.head()
            try agent.reload { configuration in
                var route = configuration.routes[0]
                route.showsCredential = true
                configuration.routes = [route, RouteSpec.test("/more/", port: upstream.port)]
            }
            for _ in 1...3 {
                try server.send("1\r\nx\r\n")
                #expect(try caller.text(6) == "1\r\nx\r\n")
            }
            try server.send("0\r\n\r\n")
            _ = try caller.text(5)
            // The next request of the same connection goes by the new configuration.
            try caller.send(Self.request)
            _ = try server.head()
            try server.send(Self.success)
            #expect(try caller.answer().field("gateway-agent-credential") == "token")
        }
    }

    @Test func `a call that waits through a reload gets its own credential, however they are numbered`() async throws {
        try await withGateway({ configuration, folder in
            let script = folder.write("read line < \(folder.path("gate")); echo late", to: "wait.sh")
            unsafe #expect(mkfifo(folder.path("gate"), 0o600) == 0)
            configuration.credentials["token"] = CredentialSpec(
                name: "token", source: .exec(ExecSpec(command: ["/bin/sh", script])), maxAge: .seconds(3600))
        }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            // Opens when the script reads: the call waits for it.
            let gate = unsafe open(agent.folder.path("gate"), O_WRONLY)
            let other = agent.folder.write("of-another-route", to: "other")
            try agent.reload { configuration in
                for name in ["a-first", "b-second"] {
                    configuration.credentials[name] = CredentialSpec(
                        name: name, source: .file(path: other, field: .raw))
                }
            }
            #expect(unsafe write(gate, "\n", 1) == 1)
            close(gate)
            let server = try upstream.accept()
            let head = try server.head()
            #expect(head.contains("authorization: Bearer late\r\n"))
            #expect(!head.contains("of-another-route"))
            try server.send(Self.success)
            #expect(try caller.answer().status == 200)
        }
    }

    /// A gate that the credential `token` waits for.
    static func gated(_ configuration: inout Configuration, _ folder: ScratchFolder) {
        let script = folder.write("read line < \(folder.path("gate")); echo late", to: "wait.sh")
        unsafe #expect(mkfifo(folder.path("gate"), 0o600) == 0)
        configuration.credentials["token"] = CredentialSpec(
            name: "token", source: .exec(ExecSpec(command: ["/bin/sh", script])), maxAge: .seconds(3600))
    }

    @Test func `a call that waits through a reload never gets what its credential's name means now`() async throws {
        try await withGateway(Self.gated, route: { $0.timeouts.credentialWait = .seconds(1) }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let gate = unsafe open(agent.folder.path("gate"), O_WRONLY)
            defer { close(gate) }
            let other = agent.folder.write("of-another-issuer", to: "other")
            try agent.reload { configuration in
                configuration.credentials["token"] = CredentialSpec(
                    name: "token", source: .file(path: other, field: .raw), prefetch: true)
            }
            // It goes by the chain that it began with, whose next link is the key.
            let server = try upstream.accept()
            let head = try server.head()
            #expect(head.contains(Marker.key) && !head.contains("of-another-issuer"))
            try server.send(Self.success)
            #expect(try caller.answer().status == 200)
            // The next call goes by the new configuration.
            try caller.send(Self.request)
            #expect(try server.head().contains("of-another-issuer"))
            try server.send(Self.success)
            #expect(try caller.answer().status == 200)
        }
    }

    @Test func `who waits for a token through a reload is not given a key`() async throws {
        try await withGateway(Self.gated) { agent, _ in
            let caller = try agent.connect()
            try caller.send("GET /-/token/token HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let gate = unsafe open(agent.folder.path("gate"), O_WRONLY)
            defer { close(gate) }
            let other = agent.folder.write("a-key-of-mine", to: "other")
            try agent.reload { configuration in
                configuration.credentials["token"] = CredentialSpec(
                    name: "token", kind: .key, source: .file(path: other, field: .raw), prefetch: true)
            }
            let answer = try caller.answer()
            #expect(answer.status == 403)
            #expect(!answer.body.contains("a-key-of-mine"))
        }
    }

    @Test func `a call under way while a reload takes its upstream away ends well, and its connection with it`()
        async throws
    {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(Self.success)
            #expect(try caller.answer().status == 200)
            // On the kept connection, which belongs to the pool of the former plan.
            try caller.send(Self.request)
            _ = try server.head()
            try agent.reload { $0.routes = [.test("/api/", port: 1)] }
            try server.send(Self.success)
            #expect(try caller.answer().status == 200)
            _ = try server.end()
            #expect(try agent.get("/-/healthy").status == 200)
        }
    }

    @Test func `a call that waits while a reload removes its credential and its route ends with an error`() async throws
    {
        try await withGateway(
            { configuration, folder in
                let script = folder.write("read line < \(folder.path("gate")); echo late", to: "wait.sh")
                unsafe #expect(mkfifo(folder.path("gate"), 0o600) == 0)
                configuration.credentials["token"] = CredentialSpec(
                    name: "token", source: .exec(ExecSpec(command: ["/bin/sh", script])), maxAge: .seconds(3600))
            }, route: { $0.timeouts.credentialWait = .seconds(1) }
        ) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let gate = unsafe open(agent.folder.path("gate"), O_WRONLY)
            try agent.reload { configuration in
                configuration.routes = []
                configuration.credentials = [:]
            }
            #expect(try caller.answer().status == 503)
            #expect(!upstream.isCalled)
            #expect(try caller.get("/api/").status == 404)
            close(gate)
        }
    }

    @Test func `a broken reload keeps the old configuration and shows in the status`() async throws {
        try await withGateway { agent, upstream in
            upstream.serve(Self.answerAll)
            let caller = try agent.connect()
            #expect(try caller.call(Self.request).status == 200)
            #expect(throws: GatewayPlanProblems.self) {
                try agent.reload { configuration in
                    var route = RouteSpec.test("/tls/", port: 1, isTLS: true)
                    route.tls.authoritiesPath = "/nowhere/ca.pem"
                    configuration.routes.append(route)
                }
            }
            try agent.reloadFailed("no such file")
            #expect(try caller.call(Self.request).status == 200)
            #expect(try caller.get("/-/status").body.contains("\"reload_error\":\"no such file\""))
            #expect(try caller.get("/tls/").status == 404)
        }
    }

    @Test func `many calls on both loops go on while the configuration changes under them`() async throws {
        try await withGateway { agent, upstream in
            upstream.serve(Self.answerAll)
            let failures = Shared(0)
            let threads = (0..<8).map { _ in
                onThread {
                    guard let caller = try? agent.connect() else { return failures.update { $0 += 1 } }
                    for _ in 0..<200 where (try? caller.call(Self.request).status) != 200 {
                        failures.update { $0 += 1 }
                    }
                }
            }
            for number in 0..<20 {
                try agent.reload { configuration in
                    configuration.timeouts.keepAlive = .seconds(100 + number)
                    configuration.credentials["x\(number)"] = CredentialSpec(
                        name: "x\(number)", source: .env(name: "PATH", field: .raw))
                }
            }
            for thread in threads { thread.join() }
            #expect(failures.value == 0)
            #expect(try agent.get("/-/status").body.contains("\"mints\":1"))
        }
    }

    // MARK: End

    @Test func `a stop lets the calls under way finish, and ends idle connections`() async throws {
        try await withGateway({ configuration, _ in configuration.timeouts.drain = .seconds(20) }) { agent, upstream in
            let idle = try agent.connect()
            #expect(try idle.get("/-/healthy").status == 200)
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            _ = try caller.receive(through: "x\r\n")
            agent.stop()
            #expect(try idle.rest() == ("", .orderly))
            for connect in [agent.connect, agent.connectUnix] {
                // Refused, or let go from the queue: who comes now does not wait for the end of the calls of others.
                if let late = try? connect() { #expect(try late.rest().0 == "") }
            }
            try server.send("1\r\ny\r\n0\r\n\r\n")
            #expect(try caller.rest() == ("1\r\ny\r\n0\r\n\r\n", .orderly))
            try agent.waitUntilStopped()
        }
    }

    @Test func `at the drain limit what is left is cut, visibly`() async throws {
        try await withGateway({ configuration, _ in configuration.timeouts.drain = .milliseconds(200) }) {
            agent, upstream in
            let streaming = try agent.connect()
            try streaming.send(Self.request)
            let first = try upstream.accept()
            _ = try first.head()
            try first.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            _ = try streaming.receive(through: "x\r\n")
            let waiting = try agent.connect()
            try waiting.send(Self.request)
            let second = try upstream.accept()
            _ = try second.head()
            let uploading = try agent.connect()
            try uploading.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            let third = try upstream.accept()
            _ = try third.head()
            agent.stop()
            #expect(try streaming.rest() == ("", .reset))
            #expect(try waiting.rest() == ("", .reset))
            #expect(try uploading.rest() == ("", .reset))
            for server in [first, second, third] { _ = try server.rest() }
            try agent.waitUntilStopped()
        }
    }

    @Test func `a second stop cuts at once`() async throws {
        try await withGateway({ configuration, _ in configuration.timeouts.drain = .seconds(600) }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(Self.request)
            let server = try upstream.accept()
            _ = try server.head()
            agent.stop()
            agent.stop()
            #expect(try caller.rest().end == .reset)
            try agent.waitUntilStopped()
        }
    }

    // MARK: Limits

    @Test func `callers beyond the connection limit wait, and are served when there is room`() async throws {
        try await withGateway({ configuration, _ in configuration.limits.connections = 4 }) { agent, upstream in
            let callers = try (0..<12).map { _ in try agent.connect() }
            for caller in callers { try caller.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n") }
            var served = 0
            var waiting = callers
            while !waiting.isEmpty {
                // Exactly those within the limit have an answer, whichever they are.
                var polls = waiting.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
                #expect(unsafe poll(&polls, nfds_t(polls.count), 10_000) > 0)
                let ready = waiting.indices.filter { polls[$0].revents != 0 }
                #expect((1...4).contains(ready.count))
                for index in ready.reversed() {
                    #expect(try waiting[index].answer().status == 200)
                    waiting.remove(at: index).close()
                    served += 1
                }
            }
            #expect(served == 12)
        }
    }

    @Test func `nothing is left open after many calls, nor after the agent`() async throws {
        let ports = Shared<[UInt16]>([])
        try await withGateway { agent, upstream in
            upstream.serve(Self.answerAll)
            for number in 0..<200 {
                let caller = number % 2 == 0 ? try agent.connect() : try agent.connectUnix()
                #expect(try caller.call(Self.request).status == 200)
                if number % 3 == 0 { caller.reset() } else { caller.close() }
            }
            let port = try #require(agent.tcp.port)
            // The agent hears of the last ends a moment later.
            while try Self.openConnections(from: port) > 0 { sched_yield() }
            ports.update { $0 = [upstream.port] }
            #expect(try Self.openConnections(to: upstream.port) <= 2)
        }
        for port in ports.value { while try Self.openConnections(to: port) > 0 { sched_yield() } }
    }

    /// Connections of this host, as tcp(7) counts them, that somebody still holds open.
    static func openConnections(from local: UInt16? = nil, to remote: UInt16? = nil) throws -> Int {
        let file = unsafe open("/proc/self/net/tcp", O_RDONLY)
        defer { close(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(file, &block, block.count)
            guard count > 0 else { break }
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().filter { line in
            let words = line.split(separator: " ")
            guard words.count > 9 else { return false }
            let port = { (word: Substring) in UInt16(word.suffix(4), radix: 16) }
            // Not LISTEN, nor one that only the kernel remembers, which has no inode.
            return words[3] != "0A" && words[9] != "0" && (local == nil || port(words[1]) == local)
                && (remote == nil || port(words[2]) == remote)
        }.count
    }
}
