// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite
struct EmbeddedIssuerTests {
    private static let audience = "https://gateway.example"

    private func claims(_ token: String) throws -> JSONValue {
        let parts = token.split(separator: ".")
        try #require(parts.count == 3)
        let bytes = try #require(Base64URL.decode(String(parts[1])))
        return try JSONValue.decode(bytes.span)
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `a token is verified by the keys that discovery leads to`(algorithm: SignatureAlgorithm) async throws {
        try await Tool.withIssuer(life: .seconds(60), algorithm: algorithm) { tool, issuer in
            let answer = try await issuer.ask(tool)
            #expect(answer.status == 200)
            #expect(answer.json?["expires_in"] == 60)
            let token = try #require(answer.json?["token"]?.stringValue)
            let discovery = try #require(
                try await tool.call("GET", "\(issuer.url)/.well-known/openid-configuration").json)
            #expect(discovery["issuer"]?.stringValue == issuer.url)
            let place = try #require(discovery["jwks_uri"]?.stringValue)
            let keys = try #require(try await tool.call("GET", place).json)
            let verifier = TokenVerifier(issuer: issuer.url, audience: Self.audience, keySet: keys)
            let now = SystemClock().now().wall / 1_000_000_000
            let verified = try verifier.verify(token, at: now)
            #expect(verified.id == issuer.minted.first?.id)
            #expect(verified.expires - now <= 60)
            #expect(throws: TokenVerifier.Rejection.expired) { try verifier.verify(token, at: verified.expires) }
            #expect(throws: TokenVerifier.Rejection.notYet) { try verifier.verify(token, at: verified.expires - 61) }
            let other = TokenVerifier(issuer: issuer.url, audience: "https://other.example", keySet: keys)
            #expect(throws: TokenVerifier.Rejection.audience) { try other.verify(token, at: now) }
            let foreign = TokenVerifier(issuer: "https://other.example", audience: Self.audience, keySet: keys)
            #expect(throws: TokenVerifier.Rejection.issuer) { try foreign.verify(token, at: now) }
        }
    }

    @Test func `a token with a byte changed is refused`() async throws {
        try await Tool.withIssuer { tool, issuer in
            let token = try #require(try await issuer.ask(tool).json?["token"]?.stringValue)
            let verifier = TokenVerifier(issuer: issuer.url, audience: Self.audience, keySet: issuer.keySet)
            let now = SystemClock().now().wall / 1_000_000_000
            var parts = token.split(separator: ".").map(String.init)
            let claims = try claims(token)
            var members = try #require(claims.objectValue)
            members["exp"] = .integer(now + 1_000_000)
            parts[1] = Base64URL.encode(JSONValue.object(members).bytes)
            #expect(throws: TokenVerifier.Rejection.signature) {
                try verifier.verify(parts.joined(separator: "."), at: now)
            }
            parts[0] = Base64URL.encode(#"{"alg":"none","kid":"demo-rs256"}"#.utf8.map { $0 })
            #expect(throws: TokenVerifier.Rejection.algorithm) {
                try verifier.verify(parts.joined(separator: "."), at: now)
            }
        }
    }

    @Test func `the form of GitHub Actions is served`() async throws {
        try await Tool.withIssuer { tool, issuer in
            let url = "\(issuer.url)/token?api-version=2.0&audience=https%3A%2F%2Fgateway.example"
            let answer = try await tool.call("GET", url, [issuer.permission])
            #expect(answer.status == 200)
            let token = try #require(answer.json?["value"]?.stringValue)
            #expect(try claims(token)["aud"]?.stringValue == Self.audience)
        }
    }

    @Test func `each request mints, and mints are counted`() async throws {
        try await Tool.withIssuer { tool, issuer in
            let first = try await issuer.ask(tool)
            let second = try await issuer.ask(tool)
            #expect(first.body != second.body)
            #expect(issuer.mintCount == 2)
            #expect(issuer.requestCount == 2)
        }
    }

    @Test func `who has no request token gets nothing`() async throws {
        try await Tool.withIssuer { tool, issuer in
            for fields in [[], [("Authorization", "Bearer wrong")]] {
                let url = "\(issuer.url)/token?audience=https://gateway.example"
                let answer = try await tool.call("GET", url, fields)
                #expect(answer.status == 401)
            }
            #expect(issuer.mintCount == 0)
        }
    }

    @Test func `an audience that is not its own is refused`() async throws {
        try await Tool.withIssuer { tool, issuer in
            let answer = try await issuer.ask(tool, audience: "https://gateway.example/")
            #expect(answer.status == 400)
            #expect(issuer.mintCount == 0)
        }
    }

    @Test func `a request that is no HTTP is refused as the agent refuses it`() async throws {
        try await Tool.withIssuer { tool, issuer in
            let (answer, _) = try await tool.raw("GET /jwks HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", to: issuer.url)
            #expect(answer.hasPrefix("HTTP/1.1 400 "))
        }
    }

    // MARK: Faults

    @Test func `an issuer that is down refuses connections, and comes back on its port`() async throws {
        try await Tool.withIssuer { tool, issuer in
            await issuer.fail(.down)
            await #expect(throws: EmbeddedClient.Failure.self) { try await issuer.ask(tool) }
            try await issuer.heal()
            #expect(try await issuer.ask(tool).status == 200)
        }
    }

    @Test(arguments: [
        (IssuerFault.serverError, 500, "out of order"), (.tooManyRequests(retryAfter: 7), 429, "too many"),
        (.empty, 200, ""), (.html, 200, "<!doctype html>"), (.redirect, 302, ""),
    ])
    func `a fault is answered as it is named`(fault: IssuerFault, status: Int, text: String) async throws {
        try await Tool.withIssuer { tool, issuer in
            await issuer.fail(fault)
            let answer = try await issuer.ask(tool)
            #expect(answer.status == status)
            #expect(text.isEmpty ? answer.body.isEmpty : answer.text.contains(text))
            if status == 429 { #expect(answer["retry-after"] == "7") }
            if status == 302 { #expect(answer["location"] == "\(issuer.url)/elsewhere") }
            #expect(issuer.mintCount == 0)
            #expect(issuer.requestCount == 1)
        }
    }

    @Test func `garbage is a mebibyte that is no JSON`() async throws {
        try await Tool.withIssuer { tool, issuer in
            await issuer.fail(.garbage)
            let answer = try await issuer.ask(tool)
            #expect(answer.body.count == 1 << 20)
            #expect(answer.json == nil)
        }
    }

    @Test func `an expired token is signed and over`() async throws {
        try await Tool.withIssuer(life: .seconds(30)) { tool, issuer in
            await issuer.fail(.expiredToken)
            let token = try #require(try await issuer.ask(tool).json?["token"]?.stringValue)
            let verifier = TokenVerifier(issuer: issuer.url, audience: Self.audience, keySet: issuer.keySet)
            let now = SystemClock().now().wall / 1_000_000_000
            #expect(throws: TokenVerifier.Rejection.expired) { try verifier.verify(token, at: now) }
            #expect(try verifier.verify(token, at: now - 75).id == issuer.minted.last?.id)
        }
    }

    @Test func `the same token comes again and is no mint`() async throws {
        try await Tool.withIssuer { tool, issuer in
            let first = try await issuer.ask(tool)
            await issuer.fail(.sameToken)
            #expect(try await issuer.ask(tool).body == first.body)
            #expect(issuer.mintCount == 1)
            #expect(issuer.requestCount == 2)
        }
    }

    @Test func `a token for another audience is signed and of no use`() async throws {
        try await Tool.withIssuer { tool, issuer in
            await issuer.fail(.otherAudience)
            let token = try #require(try await issuer.ask(tool).json?["token"]?.stringValue)
            #expect(try claims(token)["aud"]?.stringValue == "https://gateway.example/other")
        }
    }

    @Test func `a truncated answer ends before its length`() async throws {
        try await Tool.withIssuer { tool, issuer in
            await issuer.fail(.truncated)
            await #expect(throws: EmbeddedClient.Failure.self) { try await issuer.ask(tool) }
        }
    }

    @Test func `an answer that drips comes a byte at a time`() async throws {
        try await Tool.withIssuer { tool, issuer in
            await issuer.fail(.drip)
            let sizes = Shared<[Int]>([])
            let asking = Task {
                try await issuer.ask(tool) { piece in sizes.update { $0.append(piece.count) } }
            }
            while sizes.value.count < 3 { await Task.yield() }
            // What came while nobody looked is read together; the whole answer has hundreds of bytes.
            #expect(sizes.value.prefix(3).allSatisfy { $0 < 100 })
            await issuer.fail(.down)
            await #expect(throws: EmbeddedClient.Failure.self) { try await asking.value }
        }
    }

    @Test func `an issuer that hangs takes the request and says nothing`() async throws {
        try await Tool.withIssuer { tool, issuer in
            await issuer.fail(.hang)
            let asking = Task { try await issuer.ask(tool) }
            while issuer.requestCount == 0 { await Task.yield() }
            await issuer.fail(.down)
            await #expect(throws: EmbeddedClient.Failure.self) { try await asking.value }
        }
    }

    @Test func `a fault that is ordered once happens once`() async throws {
        try await Tool.withIssuer { tool, issuer in
            await issuer.fail(.serverError, times: 1)
            let statuses = [try await issuer.ask(tool).status, try await issuer.ask(tool).status]
            #expect(statuses == [500, 200])
        }
    }

    @Test func `faults are ordered over HTTP, and a wrong word names the right ones`() async throws {
        try await Tool.withIssuer { tool, issuer in
            #expect(try await tool.call("POST", "\(issuer.url)/demo/fault?kind=500&times=1").status == 200)
            #expect(try await issuer.ask(tool).status == 500)
            let wrong = try await tool.call("POST", "\(issuer.url)/demo/fault?kind=dies")
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("die, hang, drip"))
            #expect(try await issuer.ask(tool).status == 200)
        }
    }
}
