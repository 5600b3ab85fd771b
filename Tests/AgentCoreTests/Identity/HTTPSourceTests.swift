// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// What the source makes of each behaviour of an issuer; real sockets, whole sentences.
@Suite(.timeLimit(.minutes(2))) struct HTTPSourceTests {
    static let json = FieldSpec.json(token: "/access_token", expiry: "/expires_in")

    static func fetch(_ spec: HTTPSourceSpec, at wall: Int64 = 1_800_000_000) async throws -> Result<
        SourceValue, CredentialFailure
    > {
        try await LoopActor.with { _, loop, _ in
            let clock = FixedClock(time: HostTime(wall: wall * 1_000_000_000, boot: 1))
            do throws(CredentialFailure) {
                return .success(try await HTTPSource(spec: spec, loop: loop, clock: clock).fetch())
            } catch {
                return .failure(error)
            }
        }
    }

    struct FixedClock: HostClock {
        let time: HostTime
        func now() -> HostTime { time }
    }

    /// One request, one script; `PORT` stands for the server's port in the sentence.
    static func run(
        _ script: [ScriptedServer.Step], field: FieldSpec = json, limit: Duration = .seconds(20),
        _ change: (inout HTTPSourceSpec) -> Void = { _ in }
    ) async throws -> (result: Result<SourceValue, CredentialFailure>, request: String) {
        try await ScriptedServer.with([script]) { server in
            var spec = HTTPSourceSpec(target: .url("http://127.0.0.1:\(server.port)/token?a=1"), field: field)
            spec.timeLimit = limit
            change(&spec)
            let result = try await fetch(spec).mapError {
                CredentialFailure(
                    $0.kind, $0.message.replacing(":\(server.port)", with: ":PORT"), retryAfter: $0.retryAfter)
            }
            let request = await server.requests.first ?? ""
            return (result, request.replacing(":\(server.port)", with: ":PORT"))
        }
    }

    static func failure(
        of script: [ScriptedServer.Step], field: FieldSpec = json, limit: Duration = .seconds(20),
        _ change: (inout HTTPSourceSpec) -> Void = { _ in }
    ) async throws -> CredentialFailure {
        switch try await run(script, field: field, limit: limit, change).result {
        case .success: throw CredentialFailure(.unchanged, "it was accepted")
        case .failure(let failure): failure
        }
    }

    private static func answer(_ content: String, _ fields: String = "", status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
    }

    // MARK: Answers with a token

    static let token = #"{"access_token":"tok-1","expires_in":300}"#

    @Test(arguments: [
        [answer(token)],
        [
            "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"access_token\":\r\n19;x=y\r\n\"tok-1\",\"expires_in\":300}\r\n0\r\nX-Trailer: 1\r\n\r\n"
        ],
        ["HTTP/1.1 200 OK\r\n\r\n" + token], ["HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + token],
        ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", answer(token)],
        [
            "HTTP/1.1 200", " OK\r\nContent-Len", "gth: 41\r\n", "\r", "\n", String(token.prefix(20)),
            String(token.dropFirst(20)),
        ],
    ])
    func `a token is taken out of any framing`(pieces: [String]) async throws {
        let script = [ScriptedServer.Step.request] + pieces.map { .send($0) }
        let value = try await Self.run(script).result.get()
        #expect(TestToken.text(value.secret) == "tok-1")
        #expect(value.expiry == .after(.seconds(300)))
        #expect(value.issuerWall == nil)
    }

    @Test func `a raw answer is the token, and its Date the issuer's clock`() async throws {
        let script: [ScriptedServer.Step] = [
            .request, .send(Self.answer("tok-2\n", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")),
        ]
        let value = try await Self.run(script, field: .raw).result.get()
        #expect(TestToken.text(value.secret) == "tok-2")
        #expect(value.issuerWall == .seconds(784_111_777))
    }

    @Test func `a whole answer counts though the server stopped listening before it had the request`() async throws {
        let script: [ScriptedServer.Step] = [.send(Self.answer(Self.token)), .hang]
        let value = try await Self.run(script) {
            $0.method = "POST"
            $0.body = Template(parts: [.literal(String(repeating: "x", count: 100))])
        }.result.get()
        #expect(TestToken.text(value.secret) == "tok-1")
    }

    @Test func `a Unix socket is asked, with localhost for a host`() async throws {
        let folder = ScratchFolder()
        let path = folder.path("api")
        try await ScriptedServer.with([[.request, .send(Self.answer("tok-3"))]], unixPath: path) { server in
            let spec = HTTPSourceSpec(
                target: .unix(socket: path, target: "/v1/tokens/oidc?x"), method: "POST",
                body: Template(parts: [.literal(#"{"aud":"x"}"#)]))
            let value = try await Self.fetch(spec).get()
            #expect(TestToken.text(value.secret) == "tok-3")
            #expect(
                await server.requests == [
                    "POST /v1/tokens/oidc?x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        + "User-Agent: gateway-agent\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                        + "content-type: application/json\r\nContent-Length: 11\r\n\r\n{\"aud\":\"x\"}"
                ])
        }
    }

    // MARK: Requests

    @Test func `a request is put together anew from where its parts lie`() async throws {
        let folder = ScratchFolder()
        let file = folder.write("a&b=c+d\n", to: "secret")
        let request = try await Self.run([.request, .send(Self.answer(Self.token))]) {
            $0.method = "POST"
            $0.fields = [
                .init(name: "authorization", value: Template(parts: [.literal("Bearer "), .file(path: file)])),
                .init(name: "x-two", value: Template(parts: [.secret(TestToken.secret("s2"))])),
            ]
            $0.body = Template(parts: [.literal("grant_type=x&client_secret="), .file(path: file), .literal("&z=1")])
        }.request
        #expect(
            request
                == "POST /token?a=1 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n"
                + "User-Agent: gateway-agent\r\nAccept-Encoding: identity\r\nauthorization: Bearer a&b=c+d\r\n"
                + "x-two: s2\r\ncontent-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n"
                + "Content-Length: 44\r\n\r\ngrant_type=x&client_secret=a%26b%3Dc%2Bd&z=1",
            "\(request)")
    }

    @Test(arguments: [
        (["{\"k\":\"", "\"}"], nil, "{\"k\":\"q\\\"\\\\&\"}"), (["k=", ""], nil, "k=q%22%5C%26"),
        (["k=", ""], "text/plain", "k=q\"\\&"), (["", ""], nil, "q\"\\&"),
        (["{\"k\":\"", "\"}"], "application/x-www-form-urlencoded", "{\"k\":\"q%22%5C%26\"}"),
    ])
    func `a value in a body is coded as the body is`(around: [String], type: String?, sent: String) async throws {
        let literals = around.map { ValueSpec.literal($0) }
        let request = try await Self.run([.request, .send(Self.answer(Self.token))]) {
            $0.method = "PUT"
            if let type { $0.fields = [.init(name: "Content-Type", value: Template(parts: [.literal(type)]))] }
            let parts = [literals[0], .secret(TestToken.secret("q\"\\&")), literals[1]]
            $0.body = Template(parts: around == ["", ""] ? [parts[1]] : parts)
        }.request
        #expect(request.hasSuffix("\r\n\r\n" + sent), "\(request)")
    }

    // MARK: Answers without one

    static let refusals: [(String, CredentialFailure)] = [
        (
            answer(#"{"error":"invalid_client","error_description":"who are\nyou?"}"#, status: "401 Unauthorized"),
            CredentialFailure(
                .refused,
                "http://127.0.0.1:PORT/token answered 401 (invalid_client: who are you?);"
                    + " see whether the secret it is asked with is right, still valid and permitted to do this")
        ),
        (
            answer("no such \u{1b}[1mroute", "Content-Type: text/plain; charset=utf-8\r\n", status: "404 Not Found"),
            CredentialFailure(
                .refused,
                "http://127.0.0.1:PORT/token answered 404 (no such ?[1mroute); see the address and the method")
        ),
        (
            answer("<html><body>Bad Gateway</body></html>", "Content-Type: text/html\r\n", status: "502 Bad Gateway"),
            CredentialFailure(.refused, "http://127.0.0.1:PORT/token answered 502; it is asked again")
        ),
        (
            answer(
                #"{"error":{"status":"RESOURCE_EXHAUSTED","message":"slow down"}}"#, "Retry-After: 7\r\n",
                status: "429 x"),
            CredentialFailure(
                .refused,
                "http://127.0.0.1:PORT/token answered 429 (RESOURCE_EXHAUSTED: slow down); it is asked again in 7 s, as it wishes",
                retryAfter: .seconds(7))
        ),
        (
            answer("", "Retry-After: Fri, 15 Jan 2027 08:01:30 GMT\r\n", status: "503 Service Unavailable"),
            CredentialFailure(
                .refused,
                "http://127.0.0.1:PORT/token answered 503; it is asked again in 90 s, as it wishes",
                retryAfter: .seconds(90))
        ),
        (
            answer(
                "", "Date: Sun Nov  6 08:49:37 1994\r\nRetry-After: Sunday, 06-Nov-94 08:49:47 GMT\r\n", status: "503 x"
            ),
            CredentialFailure(
                .refused, "http://127.0.0.1:PORT/token answered 503; it is asked again in 10 s, as it wishes",
                retryAfter: .seconds(10))
        ),
        (
            answer("gone", "Location: https://user:hunter2@evil.example:8443/x?t=hunter2\r\n", status: "302 Found"),
            CredentialFailure(
                .refused,
                "http://127.0.0.1:PORT/token answered 302 and points to the host evil.example:8443;"
                    + " a redirect is not followed, write the final address")
        ),
        (
            answer("", "Location: /other?t=hunter2\r\n", status: "308 Permanent Redirect"),
            CredentialFailure(
                .refused,
                "http://127.0.0.1:PORT/token answered 308 and points to another path of the same host;"
                    + " a redirect is not followed, write the final address")
        ),
        (
            answer(""),
            CredentialFailure(
                .empty,
                "http://127.0.0.1:PORT/token answered 200 with no content; see whether it has a token for this host")
        ),
        (
            "HTTP/1.1 204 No Content\r\n\r\n",
            CredentialFailure(
                .empty,
                "http://127.0.0.1:PORT/token answered 204 with no content; see whether it has a token for this host")
        ),
        (
            answer("  <!DOCTYPE html><p>hunter2"),
            CredentialFailure(
                .malformed,
                "http://127.0.0.1:PORT/token answered 200 with a web page (HTML) and no token;"
                    + " see the address, and whether a login page stands before it")
        ),
        (
            answer("hunter2 is no JSON"),
            CredentialFailure(
                .malformed, "http://127.0.0.1:PORT/token: the answer is not valid JSON; see what the source prints")
        ),
        (
            answer(#"{"token":"hunter2"}"#),
            CredentialFailure(
                .malformed,
                "http://127.0.0.1:PORT/token: the answer has nothing at /access_token, where the token should be; "
                    + "see field in its configuration, and what the source prints")
        ),
        (
            answer(#"{"error":"bad_verification_code","error_description":"it is old"}"#),
            CredentialFailure(
                .refused,
                "http://127.0.0.1:PORT/token answered 200 with an error: bad_verification_code: it is old")
        ),
        (
            answer("\u{1f}\u{8b}", "Content-Encoding: gzip\r\n"),
            CredentialFailure(
                .malformed,
                "http://127.0.0.1:PORT/token answered in the coding \"gzip\" though none was asked for;"
                    + " turn compression off there")
        ),
        (
            "SSH-2.0-OpenSSH_9.2\r\n",
            CredentialFailure(
                .malformed,
                "http://127.0.0.1:PORT/token: the answer is not HTTP:"
                    + " \(HTTPError(.version, at: 0, byte: UInt8(ascii: "S"))); see whether the port is the right one")
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            CredentialFailure(
                .malformed,
                "http://127.0.0.1:PORT/token: the answer is not HTTP: \(HTTPError(.contentLengthRepeated));"
                    + " see whether the port is the right one")
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n",
            CredentialFailure(
                .malformed,
                "http://127.0.0.1:PORT/token: the answer is larger than 1048576 bytes, which is no token;"
                    + " see the address, or raise answerBytes")
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhunter2",
            CredentialFailure(
                .unreachable,
                "http://127.0.0.1:PORT/token: the connection was closed after 7 of 50 bytes of the answer; it is asked again"
            )
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nhunter2\r\n",
            CredentialFailure(
                .unreachable,
                "http://127.0.0.1:PORT/token: the connection was closed after 7 bytes of the answer; it is asked again")
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Le",
            CredentialFailure(
                .unreachable,
                "http://127.0.0.1:PORT/token: the connection was closed in the head of the answer; it is asked again")
        ),
        (
            "",
            CredentialFailure(
                .unreachable,
                "http://127.0.0.1:PORT/token: the connection was closed before it answered; it is asked again")
        ),
    ]

    @Test(arguments: refusals.indices)
    func `an answer without a token is told in one sentence`(index: Int) async throws {
        let (answer, expected) = Self.refusals[index]
        #expect(try await Self.failure(of: [.request, .send(answer)]) == expected)
    }

    @Test func `a connection that is reset is told`() async throws {
        let failure = try await Self.failure(of: [
            .request, .send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhunter2"), .abort,
        ])
        #expect(failure.kind == .unreachable)
        #expect(failure.message.hasPrefix("http://127.0.0.1:PORT/token: the connection broke "), "\(failure)")
        #expect(
            failure.message.hasSuffix(" bytes of the answer: read: Connection reset by peer; it is asked again")
                || failure.message.hasSuffix("before it answered: read: Connection reset by peer; it is asked again"),
            "\(failure)")
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nX: ",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func `garbage without end is left at the limit`(head: String) async throws {
        let piece =
            head.contains("chunked")
            ? "8000\r\n\(String(repeating: "g", count: 0x8000))\r\n"
            : head.contains("100") ? head : String(repeating: "g", count: 0x8000)
        let failure = try await Self.failure(of: [.request, .send(head), .flood(piece)])
        #expect(failure.kind == .malformed)
        let size = head.contains("X: ") ? 16_384 : 1_048_576
        if !head.contains("100") {
            #expect(
                failure.message
                    == "http://127.0.0.1:PORT/token: the answer is larger than \(size) bytes, which is no token;"
                    + " see the address, or raise answerBytes")
        }
    }

    // MARK: Time

    /// Long enough for the other side to do its part beside all the other tests.
    private static let limit = Duration.seconds(8)

    @Test(arguments: [
        ([ScriptedServer.Step.hang], "waiting for the answer"),
        ([.request, .send("HTTP/1.1 200 OK\r\nX-Slow: "), .drip], "the head of the answer was coming in"),
        ([.request, .send("HTTP/1.1 200 OK\r\n\r\n"), .drip], "the answer was coming in, after N bytes of it"),
        (
            [.request, .send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"), .drip],
            "the answer was coming in, after N bytes of it"
        ),
    ])
    func `a server that takes its time is left at the limit`(script: [ScriptedServer.Step], phase: String) async throws
    {
        let failure = try await Self.failure(of: script, limit: Self.limit)
        #expect(failure.kind == .timedOut)
        #expect(
            failure.message.replacing(/after \d+ bytes/, with: "after N bytes")
                == "http://127.0.0.1:PORT/token: the time was over while \(phase); the limit is 8 s,"
                + " which timeout in its configuration raises")
    }

    @Test func `a server that does not read is left at the limit`() async throws {
        try await ScriptedServer.with([[]]) { server in
            // A listener whose queue nobody accepts from: the kernel takes what fits and no more.
            let listener = try LoopbackListener()
            var spec = HTTPSourceSpec(target: .url("http://127.0.0.1:\(listener.port)/"), method: "POST")
            spec.body = Template(parts: [.literal(String(repeating: "x", count: 16 << 20))])
            spec.timeLimit = Self.limit
            guard case .failure(let failure) = try await Self.fetch(spec) else { return #expect(Bool(false)) }
            #expect(
                failure.message
                    == "http://127.0.0.1:\(listener.port)/: the time was over while the request was being sent;"
                    + " the limit is 8 s, which timeout in its configuration raises")
            _ = server
        }
    }

    @Test func `a TLS handshake that nobody answers is left at the limit`() async throws {
        try await ScriptedServer.with([[.hang]]) { server in
            var spec = HTTPSourceSpec(target: .url("https://127.0.0.1:\(server.port)/"))
            spec.timeLimit = Self.limit
            guard case .failure(let failure) = try await Self.fetch(spec) else { return #expect(Bool(false)) }
            #expect(
                failure.message
                    == "https://127.0.0.1:\(server.port)/: the time was over while waiting for the TLS handshake;"
                    + " the limit is 8 s, which timeout in its configuration raises")
            #expect(failure.kind == .timedOut)
        }
    }

    @Test func `a fetch that is cancelled ends at once, and its connection with it`() async throws {
        try await ScriptedServer.with([[.request, .hang]]) { server in
            try await LoopActor.with { actor, loop, _ in
                var spec = HTTPSourceSpec(target: .url("http://127.0.0.1:\(server.port)/"))
                spec.timeLimit = .seconds(600)
                let source = HTTPSource(spec: spec, loop: loop)
                let fetch = Task {
                    _ = actor
                    return try await source.fetch()
                }
                for await _ in server.arrivals { break }
                fetch.cancel()
                guard case .failure(let failure) = await fetch.result else { return #expect(Bool(false)) }
                #expect((failure as? CredentialFailure)?.kind == .timedOut)
                for await _ in server.departures { break }
            }
        }
    }

    @Test func `a fetch that is cancelled before it begins sends nothing`() async throws {
        try await ScriptedServer.with([[.request, .send(Self.answer(Self.token))]]) { server in
            try await LoopActor.with { actor, loop, _ in
                let source = HTTPSource(
                    spec: HTTPSourceSpec(target: .url("http://127.0.0.1:\(server.port)/")), loop: loop)
                let fetch = Task {
                    _ = actor
                    return try await source.fetch()
                }
                fetch.cancel()
                guard case .failure = await fetch.result else { return #expect(Bool(false)) }
            }
            #expect(await server.requests.isEmpty)
        }
    }
}
