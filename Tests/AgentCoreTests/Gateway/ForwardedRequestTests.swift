// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What arrives at the upstream, byte for byte.
@Suite(.timeLimit(.minutes(1)))
struct ForwardedRequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let sent: String
        /// Without the lines that every request has: Host, Via and the credential.
        let forwarded: String

        var testDescription: String { what }

        init(_ what: String, _ sent: String, _ forwarded: String) {
            self.what = what
            self.sent = sent
            self.forwarded = forwarded
        }
    }

    static let cases = [
        Case("a plain GET", "GET /api/models HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /v1/models HTTP/1.1\r\n\r\n"),
        Case("the prefix alone", "GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /v1/ HTTP/1.1\r\n\r\n"),
        Case(
            "the query byte for byte", "GET /api/a?b=%2e%2E/..&&c=d?e=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /v1/a?b=%2e%2E/..&&c=d?e=%00 HTTP/1.1\r\n\r\n"),
        Case(
            "no credential of the caller's",
            "GET /api/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer fake\r\nX-API-Key: fake\r\n"
                + "api-key: fake\r\nx-goog-api-key: fake\r\nCookie: a=b\r\nCoder-Session-Token: fake\r\n"
                + "X_Api_Key: fake\r\nX-Kept: yes\r\n\r\n",
            "GET /v1/ HTTP/1.1\r\nX-Kept: yes\r\n\r\n"),
        Case(
            "no hop-by-hop field, nor what Connection names",
            "GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
                + "Proxy-Connection: close\r\nProxy-Authorization: Basic x\r\nX-Kept: yes\r\n\r\n",
            "GET /v1/ HTTP/1.1\r\nX-Kept: yes\r\n\r\n"),
        Case(
            "the credential, though Connection names it",
            "GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: authorization, x-api-key, host, via\r\n\r\n",
            "GET /v1/ HTTP/1.1\r\n\r\n"),
        Case(
            "repeated fields in their order",
            "GET /api/ HTTP/1.1\r\nHost: localhost\r\nanthropic-beta: a\r\nX-Two: 1\r\nanthropic-beta: b\r\nx-two: 2\r\n\r\n",
            "GET /v1/ HTTP/1.1\r\nanthropic-beta: a\r\nX-Two: 1\r\nanthropic-beta: b\r\nx-two: 2\r\n\r\n"),
        Case(
            "content with its length",
            "POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
            "POST /v1/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
        Case(
            "an empty content with its length",
            "POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
            "POST /v1/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        Case(
            "chunks without their extensions",
            "POST /api/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5;a=b\r\nhello\r\n1\r\n!\r\n000\r\n\r\n",
            "POST /v1/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"),
        Case(
            "trailers, but no credential among them",
            "POST /api/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "1\r\nx\r\n0\r\nX-Sum: 1\r\nAuthorization: Bearer fake\r\n\r\n",
            "POST /v1/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n"),
        Case(
            "the request of an HTTP/1.0 caller", "GET /api/ HTTP/1.0\r\nHost: localhost\r\n\r\n",
            "GET /v1/ HTTP/1.1\r\n\r\n"),
        Case(
            "a method that the agent does not know", "PROPFIND /api/ HTTP/1.1\r\nHost: 127.0.0.1:99\r\n\r\n",
            "PROPFIND /v1/ HTTP/1.1\r\n\r\n"),
    ]

    @Test(arguments: cases)
    func `the upstream gets one fresh request with`(_ sample: Case) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send(sample.sent)
            let server = try upstream.accept()
            // The content goes on its own way, perhaps in pieces.
            let parts = sample.forwarded.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            var lines = try server.head().split(separator: "\r\n").map(String.init)
            let body = parts.count > 1 ? String(parts[1]) : ""
            #expect(try server.text(body.utf8.count) == body)
            for line in [
                "Host: 127.0.0.1:\(upstream.port)", "authorization: Bearer \(Marker.token)",
            ] {
                #expect(lines.filter { $0 == line }.count == 1, "\(line) in \(lines)")
                lines.removeAll { $0 == line }
            }
            #expect(lines.filter { $0.lowercased().hasPrefix("via: 1.") }.count == 1)
            lines.removeAll { $0.lowercased().hasPrefix("via: ") }
            #expect(lines.joined(separator: "\r\n") == parts[0])
            try server.send("HTTP/1.1 204 No Content\r\n\r\n")
            #expect(try caller.answer().status == 204)
            caller.close()
            _ = server
        }
    }

    @Test func `a field that Via belongs to is kept and continued`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\nVia: 1.0 before\r\n\r\n")
            let server = try upstream.accept()
            let vias = try server.head().split(separator: "\r\n").filter { $0.lowercased().hasPrefix("via:") }
            #expect(vias.first == "Via: 1.0 before")
            #expect(vias.count == 2)
        }
    }

    @Test func `a chain writes each link in the form of that link`() async throws {
        try await withGateway({ configuration, folder in
            configuration.credentials["token"] = CredentialSpec(
                name: "token", source: .file(path: folder.path("missing"), field: .raw))
        }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\nauthorization: Bearer fake\r\n\r\n")
            let head = try upstream.accept().head()
            #expect(head.contains("\r\nx-api-key: \(Marker.key)\r\n"))
            #expect(!head.lowercased().contains("authorization"))
        }
    }
}
