// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Which credential a call carries, and what happens when there is none or the upstream refuses it.
@Suite(.timeLimit(.minutes(1)))
struct CredentialFlowTests {
    static let refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
    static let success = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// A token from a script that counts: `t-1`, `t-2`… The count stands in the file `mints`.
    static func counting(_ configuration: inout Configuration, _ folder: ScratchFolder) {
        let script = folder.write(
            """
            n=$(cat \(folder.path("mints")) 2>/dev/null || echo 0); n=$((n + 1))
            echo $n > \(folder.path("mints")); echo t-$n
            """, to: "mint.sh")
        configuration.credentials["token"] = CredentialSpec(
            name: "token", source: .exec(ExecSpec(command: ["/bin/sh", script])), maxAge: .seconds(3600))
    }

    struct Content: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let fields: String
        let bytes: String
    }

    static let contents = [
        Content(testDescription: "no content", fields: "", bytes: ""),
        Content(testDescription: "an empty content", fields: "Content-Length: 0\r\n", bytes: ""),
        Content(testDescription: "a small content", fields: "Content-Length: 5\r\n", bytes: "hello"),
        Content(
            testDescription: "a content of many blocks", fields: "Content-Length: 300000\r\n",
            bytes: String(repeating: "abc", count: 100_000)),
        Content(
            testDescription: "chunks", fields: "Transfer-Encoding: chunked\r\n", bytes: "a\r\n0123456789\r\n0\r\n\r\n"),
        Content(testDescription: "no chunks", fields: "Transfer-Encoding: chunked\r\n", bytes: "0\r\n\r\n"),
    ]

    @Test(arguments: contents)
    func `a refused token is renewed and the request sent again, once`(_ content: Content) async throws {
        try await withGateway({ configuration, folder in Self.counting(&configuration, folder) }) { agent, upstream in
            let caller = try agent.connect()
            let writer = onThread {
                try? caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\n\(content.fields)\r\n\(content.bytes)")
            }
            let first = try upstream.accept()
            #expect(try first.head().contains("authorization: Bearer t-1\r\n"))
            #expect(try first.text(content.bytes.utf8.count) == content.bytes)
            try first.send(Self.refusal)
            let second = try upstream.accept()
            let head = try second.head()
            #expect(head.contains("authorization: Bearer t-2\r\n"))
            #expect(!head.contains("t-1"))
            #expect(try second.text(content.bytes.utf8.count) == content.bytes)
            try second.send(Self.success)
            #expect(try caller.answer().body == "ok")
            writer.join()
            // Both ends are where they should be: the next call works on the same connections.
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try second.head().contains("Bearer t-2"))
        }
    }

    /// Whether the engine has renewed it by the time that the connection stands, or is asked only then.
    @Test(arguments: [false, true])
    func `a token that ends while the upstream is dialled is not sent`(isRenewed: Bool) async throws {
        let clock = HandClock(SystemClock().now())
        try await withGateway(
            tls: try TLSWorld(), clock: clock,
            { configuration, folder in
                Self.counting(&configuration, folder)
                configuration.threads = 1
            }
        ) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.acceptWithoutTLS()
            // The token has been chosen, and the connection does not stand yet.
            #expect(agent.folder.read("mints")?.hasPrefix("1") == true)
            clock.update {
                $0.wall += .seconds(3601)
                $0.boot += .seconds(3601)
            }
            // A loop reads the clock once a turn, and the one that dialled may not be over: the second call is of a later.
            for _ in 1...2 { #expect(try agent.get("/-/healthy").status == 200) }
            if isRenewed { #expect(try agent.get("/-/token/token").body == "t-2\n") }
            try upstream.startTLS(on: server)
            let head = try server.head()
            #expect(head.contains("authorization: Bearer t-2\r\n"))
            #expect(!head.contains("t-1"))
            try server.send(Self.success)
            #expect(try caller.answer().body == "ok")
        }
    }

    @Test func `of two credentials one that was renewed is reason enough to ask again`() async throws {
        try await withGateway(
            { configuration, folder in Self.counting(&configuration, folder) },
            route: {
                $0.injections = $0.injections[0].chain.map { InjectionSpec(chain: [$0]) }
            }
        ) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for number in 1...2 {
                let server = try upstream.accept()
                let head = try server.head()
                // The key is what it was: its file holds nothing newer.
                #expect(head.contains("Bearer t-\(number)\r\n") && head.contains(Marker.key))
                try server.send(number == 1 ? Self.refusal : Self.success)
            }
            #expect(try caller.answer().status == 200)
        }
    }

    @Test func `a second refusal is passed on with the reason`() async throws {
        try await withGateway({ configuration, folder in Self.counting(&configuration, folder) }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in 1...2 {
                let server = try upstream.accept()
                _ = try server.head()
                try server.send(Self.refusal)
            }
            let answer = try caller.answer()
            #expect(answer.status == 401)
            #expect(answer.body == "no")
            #expect(answer.field("gateway-agent-reason") != nil)
            // The next one is passed on at once, while the upstream refuses whatever is new.
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            try server.send(Self.refusal)
            #expect(try caller.answer().status == 401)
            #expect(agent.folder.read("mints")?.hasPrefix("2") == true)
        }
    }

    @Test func `a content that is too large to be kept passes the refusal on`() async throws {
        try await withGateway(
            { configuration, folder in Self.counting(&configuration, folder) },
            route: {
                $0.replayBodyBytes = 4
            }
        ) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try server.text(5) == "hello")
            try server.send(Self.refusal)
            let answer = try caller.answer()
            #expect(answer.status == 401)
            #expect(answer.field("gateway-agent-reason")?.contains("replayBodyBytes") == true)
            // And yet it is renewed for the next call.
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while try !server.head().contains("Bearer t-2") {
                try server.send(Self.success)
                _ = try caller.answer()
                try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            }
        }
    }

    @Test func `a token that cannot be had is replaced by the key, and taken again when it can`() async throws {
        try await withGateway({ _, folder in unsafe _ = unlink(folder.path("token")) }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            let head = try server.head()
            #expect(head.contains("\r\nx-api-key: \(Marker.key)\r\n"))
            #expect(!head.lowercased().contains("authorization"))
            try server.send(Self.success)
            _ = try caller.answer()
            agent.folder.write("back", to: "token")
            // The file is watched; which call is the first with the new token is the kernel's affair.
            while true {
                try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let head = try server.head()
                try server.send(Self.success)
                _ = try caller.answer()
                if head.contains("Bearer back") {
                    #expect(!head.contains("x-api-key"))
                    break
                }
            }
        }
    }

    @Test func `a route that falls back on a refusal uses the key`() async throws {
        try await withGateway(route: { $0.fallback = [.unavailable, .rejected] }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let first = try upstream.accept()
            #expect(try first.head().contains("Bearer \(Marker.token)"))
            try first.send(Self.refusal)
            // The file holds the same token still: there is nothing newer, so the next link is taken.
            let second = try upstream.accept()
            #expect(try second.head().contains("x-api-key: \(Marker.key)"))
            try second.send(Self.success)
            #expect(try caller.answer().status == 200)
        }
    }

    @Test(arguments: [
        (true, "unauthorized"), (true, "unauthorized\n"), (false, "forbidden"), (false, "unauthorized: policy"),
    ])
    func `Coder's own word for a refusal is understood, and no other 403`(isRefusal: Bool, text: String) async throws {
        try await withGateway(
            { configuration, folder in Self.counting(&configuration, folder) },
            route: {
                $0.gateway = .coder
            }
        ) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let first = try upstream.accept()
            _ = try first.head()
            try first.send("HTTP/1.1 403 Forbidden\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
            if isRefusal {
                let second = try upstream.accept()
                #expect(try second.head().contains("Bearer t-2"))
                try second.send(Self.success)
                #expect(try caller.answer().status == 200)
            } else {
                let answer = try caller.answer()
                #expect(answer.status == 403)
                #expect(answer.body == text)
            }
        }
    }

    @Test func `two hundred refusals at once cause one renewal`() async throws {
        try await withGateway({ configuration, folder in Self.counting(&configuration, folder) }) { agent, upstream in
            let seen = Shared<[String: Int]>([:])
            upstream.serve { server in
                while true {
                    let head = try server.head()
                    let isOld = head.contains("Bearer t-1\r\n")
                    seen.update { $0[isOld ? "old" : "new", default: 0] += 1 }
                    try server.send(isOld ? Self.refusal : Self.success)
                }
            }
            let callers = try (0..<200).map { _ in try agent.connect() }
            for caller in callers { try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n") }
            for caller in callers { #expect(try caller.answer().status == 200) }
            #expect(agent.folder.read("mints") == "2\n")
            #expect(seen.value["new"] == 200)
        }
    }

    @Test func `callers who wait go on at the publication`() async throws {
        try await withGateway({ configuration, folder in
            // The source answers when the test lets it.
            let script = folder.write("read line < \(folder.path("gate")); echo late", to: "wait.sh")
            unsafe #expect(mkfifo(folder.path("gate"), 0o600) == 0)
            configuration.credentials["token"] = CredentialSpec(
                name: "token", source: .exec(ExecSpec(command: ["/bin/sh", script])), maxAge: .seconds(3600))
        }) { agent, upstream in
            upstream.serve { server in
                while true {
                    let head = try server.head()
                    try server.send(head.contains("Bearer late") ? Self.success : "HTTP/1.1 500 Bad\r\n\r\n")
                }
            }
            let callers = try (0..<50).map { _ in try agent.connect() }
            for caller in callers { try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n") }
            // Opens when the script reads.
            let gate = unsafe open(agent.folder.path("gate"), O_WRONLY)
            #expect(!upstream.isCalled)
            #expect(unsafe write(gate, "\n", 1) == 1)
            close(gate)
            for caller in callers { #expect(try caller.answer().status == 200) }
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `without any credential the answer is 503 in the provider's shape, and nothing goes upstream`(
        _ kind: GatewayKind
    ) async throws {
        try await withGateway(
            { _, folder in
                unsafe _ = unlink(folder.path("token"))
                unsafe _ = unlink(folder.path("key"))
            },
            route: {
                $0.gateway = kind; $0.timeouts.credentialWait = .seconds(1)
            }
        ) { agent, upstream in
            let caller = try agent.connect()
            let answer = try caller.get("/api/")
            #expect(answer.status == 503)
            #expect(answer.field("gateway-agent-error") == "no-credential")
            let retry = try #require(answer.field("retry-after").flatMap { Int($0) })
            #expect((1...3_600).contains(retry))
            let json = try JSONValue.decode(answer.body.utf8.span)
            let message = json["error"]?["message"]?.stringValue ?? ""
            #expect(message.contains("token") && message.contains("key"), "\(answer.body)")
            if kind == .anthropic { #expect(json["type"]?.stringValue == "error") }
            #expect(!upstream.isCalled)
            #expect(!answer.body.contains("authentication_error"))
        }
    }

    @Test func `an early refusal of an upload is passed on, since its answer has begun`() async throws {
        try await withGateway({ configuration, folder in Self.counting(&configuration, folder) }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            let first = try upstream.accept()
            _ = try first.head()
            #expect(try first.text(5) == "hello")
            try first.send(Self.refusal)
            // All that was sent is still held: it is sent again, and the rest follows.
            let second = try upstream.accept()
            #expect(try second.head().contains("Bearer t-2"))
            #expect(try second.text(5) == "hello")
            try caller.send("world")
            #expect(try second.text(5) == "world")
            try second.send(Self.success)
            #expect(try caller.answer().status == 200)
        }
    }

    @Test func `tokens are handed out, keys never`() async throws {
        try await withGateway({ configuration, folder in
            Self.counting(&configuration, folder)
        }) { agent, _ in
            let caller = try agent.connect()
            #expect(try caller.get("/-/token/token").body == "t-1\n")
            // Its end is known from `maxAge` alone.
            let told = try JSONValue.decode(try caller.get("/-/token/token?format=json").body.utf8.span)
            #expect(told["token"]?.stringValue == "t-1")
            let end = try #require(told["expires_in"]?.integerValue)
            #expect((1...3600).contains(end))
            let status = try JSONValue.decode(try caller.get("/-/status").body.utf8.span)
            let shown = status["credentials"]?.arrayValue?.first { $0["name"]?.stringValue == "token" }
            #expect((1...3600).contains(shown?["expires_in"]?.integerValue ?? 0))
            #expect((shown?["expires_at"]?.integerValue ?? 0) > 1_700_000_000)
            let key = try caller.get("/-/token/key")
            #expect(key.status == 403)
            #expect(!key.body.contains(Marker.key))
            #expect(try caller.get("/-/token/nothing").status == 404)
            #expect(try agent.get("/-/token/token?min-life=x").status == 400)
        }
    }

    @Test func `a refusal is of the value that was sent, also while a newer one has yet to begin`() async throws {
        let wall = Double(SystemClock().now().wall / 1_000_000_000)
        let tokens = [
            TestToken.jwt(issued: wall, expires: wall + 3600, serial: 1),
            TestToken.jwt(issued: wall, notBefore: wall + 1800, expires: wall + 5400, serial: 2),
            TestToken.jwt(issued: wall, expires: wall + 3600, serial: 3),
        ]
        try await withGateway({ configuration, folder in
            for (place, token) in tokens.enumerated() { folder.write(token, to: "t-\(place + 1)") }
            let script = folder.write(
                """
                n=$(cat \(folder.path("mints")) 2>/dev/null || echo 0); n=$((n + 1))
                echo $n > \(folder.path("mints")); cat \(folder.path("t-"))$n
                """, to: "mint.sh")
            var exec = ExecSpec(command: ["/bin/sh", script])
            exec.environment = ["X": .file(path: folder.write("x", to: "x"))]
            configuration.credentials["token"] = CredentialSpec(name: "token", source: .exec(exec))
        }) { agent, upstream in
            let caller = try agent.connect()
            #expect(try caller.get("/-/token/token").body == tokens[0] + "\n")
            agent.folder.write("y", to: "x")
            var generation = 1
            while generation < 2 {
                let status = try JSONValue.decode(try caller.get("/-/status").body.utf8.span)
                let shown = status["credentials"]?.arrayValue?.first { $0["name"]?.stringValue == "token" }
                generation = shown?["generation"]?.integerValue.map { Int($0) } ?? 0
            }
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let first = try upstream.accept()
            #expect(try first.head().contains(tokens[0]))
            try first.send(Self.refusal)
            let second = try upstream.accept()
            #expect(try second.head().contains(tokens[2]), "renewed, and sent again")
            try second.send(Self.success)
            #expect(try caller.answer().status == 200)
        }
    }

    /// So many that one that waits for what cannot come is beyond the suite's limit.
    static let callers = 20

    @Test func `more life than the source gives is refused at once, with what it gives`() async throws {
        try await withGateway({ configuration, folder in
            Self.counting(&configuration, folder)
        }) { agent, _ in
            let caller = try agent.connect()
            for _ in 0..<Self.callers {
                let short = try caller.get("/-/token/token?min-life=7200")
                #expect(short.status == 503)
                #expect(short.field("gateway-agent-error") == "short-life")
                #expect(
                    short.body.contains(
                        "2 h of life were asked for, and the source of token gives tokens with 60 min; "
                            + "ask for less, or have the issuer give longer ones"))
            }
            #expect(try caller.get("/-/token/token?min-life=3000").body == "t-1\n", "one question was enough")
        }
    }

    @Test func `a token that cannot be had is refused at once while its source is left alone`() async throws {
        try await withGateway({ configuration, folder in
            configuration.credentials["token"] = CredentialSpec(
                name: "token", source: .file(path: folder.path("absent"), field: .raw))
            configuration.timeouts.credentialWait = .milliseconds(1)
        }) { agent, _ in
            let caller = try agent.connect()
            var answer = try caller.get("/-/token/token")
            while answer.body.contains("not answered yet") { answer = try caller.get("/-/token/token") }
            #expect(answer.status == 503)
            #expect(answer.field("gateway-agent-error") == "no-credential")
            #expect(answer.body.contains("see the path, or create the file"))
            #expect(answer.field("retry-after").flatMap { Int($0) } ?? 0 >= 1)
        }
    }

    @Test func `no secret is in anything that the agent wrote`() async throws {
        try await withGateway(route: {
            $0.fallback = [.unavailable, .rejected]; $0.showsCredential = true
        }) { agent, upstream in
            let caller = try agent.connect()
            upstream.serve { server in
                while true {
                    _ = try server.head()
                    try server.send(Self.refusal)
                }
            }
            var written = ""
            for path in ["/api/", "/api/x?y=\(Marker.key)", "/-/status", "/-/metrics", "/-/token/key", "/-/token/none"]
            {
                let answer = try caller.get(path)
                written += answer.head + answer.body
            }
            unsafe _ = unlink(agent.folder.path("token"))
            try agent.reload { $0.timeouts.keepAlive = .seconds(60) }
            written += try agent.get("/-/status").body
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\nX-Mine: \(Marker.token)\r\nX : y\r\n\r\n")
            written += try caller.answer().body
            agent.stop()
            try agent.waitUntilStopped()
            written += agent.log.text
            #expect(written.contains("\"status\":401"))
            #expect(!written.contains(Marker.token))
            #expect(!written.contains(Marker.key))
        }
    }
}
