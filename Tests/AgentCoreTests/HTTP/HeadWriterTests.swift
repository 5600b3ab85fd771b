// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct HeadWriterTests {
    static let upstream = UpstreamForm(
        authority: "up.example", path: "/base/", filter: FieldFilter(names: ["Authorization", "X-Api-Key", "X-Mine"]))

    /// What goes to the upstream for a request with `fields`, from the first field behind Host to the last of ours.
    static func forwarded(
        _ fields: String, line: String = "GET /r/x?q=%zz HTTP/1.1", framing: BodyFraming = .none,
        options: HeadWriter.RequestOptions = []
    ) throws -> String {
        let (head, bytes) = try requestHead("\(line)\r\nHost: a\r\n\(fields)\r\n")
        var buffer = ByteBuffer()
        try HeadWriter.begin(
            request: head, in: bytes.span, to: upstream, replacing: 3, framing: framing, options: options, into: &buffer
        )
        HeadWriter.append(lines: Secret(copying: Array("Authorization: Bearer s\r\n".utf8).span), into: &buffer)
        HeadWriter.end(into: &buffer)
        return buffer.text
    }

    static let start = "GET /base/x?q=%zz HTTP/1.1\r\nHost: up.example\r\n"
    static let finish = "Via: 1.1 gateway-agent\r\nAuthorization: Bearer s\r\n\r\n"

    static let kept: [(String, String)] = [
        ("", ""),
        ("A: 1\r\nB: 2\r\na: 3\r\n", "A: 1\r\nB: 2\r\na: 3\r\n"),
        ("A:1\r\nB: \t2 \r\nC:\r\nD: 4\r\n", "A: 1\r\nB: 2\r\nC: \r\nD: 4\r\n"),
        // Hop-by-hop, whatever Connection says of it.
        (
            "Keep-Alive: 5\r\nProxy-Connection: x\r\nA: 1\r\nProxy-Authenticate: x\r\nProxy-Authorization: x\r\nTE: x\r\n"
                + "Trailer: x\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"
        ),
        // Named by Connection, known or not, in any case, in several lines.
        (
            "Connection: close, X-Hop, accept\r\nConnection: ,x-hop2\r\nx-hOP: 1\r\nX-Hop2: 2\r\nAccept: 3\r\nX-Hop22: 4\r\n",
            "X-Hop22: 4\r\n"
        ),
        // What a client names cannot take away what is ours.
        ("Connection: host, authorization, via, content-length\r\nA: 1\r\n", "A: 1\r\n"),
        // Credentials of the caller, also in a server's reading of their names.
        (
            "Authorization: c\r\nX-API-KEY: c\r\nx-mine: c\r\nX_Mine: c\r\nX_Api_Key: c\r\nauthorization: d\r\nA: 1\r\n",
            "A: 1\r\n"
        ),
        // Framing and routing in such a reading.
        ("Content_Length: 5\r\nTransfer_Encoding: chunked\r\nX_Forwarded_For: x\r\nA_B: 1\r\n", "A_B: 1\r\n"),
        (
            "Forwarded: for=x\r\nX-Forwarded-For: 1\r\nX-Forwarded-Client-Cert: 1\r\nX-Real-IP: 1\r\nX-Forwarded: k\r\n",
            "X-Forwarded: k\r\n"
        ),
        ("Expect: 100-continue\r\n", ""),
        ("Via: 1.0 fred\r\nVia: 1.1 p\r\n", "Via: 1.0 fred\r\nVia: 1.1 p\r\n"),
        ("Cookie: a=b\r\nOrigin: x\r\n", "Cookie: a=b\r\nOrigin: x\r\n"),
    ]

    @Test(arguments: kept)
    func `a forwarded request holds what is meant for the upstream and nothing else`(_ fields: String, _ kept: String)
        throws
    {
        #expect(try Self.forwarded(fields) == Self.start + kept + Self.finish)
    }

    static let framings: [(BodyFraming, String)] = [
        (BodyFraming.none, ""), (.length(0), "Content-Length: 0\r\n"), (.length(42), "Content-Length: 42\r\n"),
        (.chunked, "Transfer-Encoding: chunked\r\n"),
    ]

    @Test(arguments: framings)
    func `framing is written once and by us`(_ framing: BodyFraming, _ field: String) throws {
        let text = try Self.forwarded("Content-Length: 7\r\n", framing: framing)
        #expect(text == Self.start + "Via: 1.1 gateway-agent\r\n" + field + "Authorization: Bearer s\r\n\r\n")
    }

    static let controls: [(HeadWriter.RequestOptions, String)] = [
        (HeadWriter.RequestOptions.expectContinue, "Expect: 100-continue\r\n"),
        (.trailersWelcome, "Connection: te\r\nTE: trailers\r\n"),
        (.close, "Connection: close\r\n"), ([.close, .trailersWelcome], "Connection: close, te\r\nTE: trailers\r\n"),
        (.webSocket, "Connection: upgrade\r\nUpgrade: websocket\r\n"),
    ]

    @Test(arguments: controls)
    func `control of the connection is written afresh`(_ options: HeadWriter.RequestOptions, _ fields: String) throws {
        let text = try Self.forwarded("", options: options)
        #expect(text == Self.start + "Via: 1.1 gateway-agent\r\n" + fields + "Authorization: Bearer s\r\n\r\n")
    }

    @Test func `a request of HTTP 1.0 goes on as 1.1 and Via tells`() throws {
        let text = try Self.forwarded("", line: "GET /r/ HTTP/1.0")
        #expect(text.hasPrefix("GET /base/ HTTP/1.1\r\nHost: up.example\r\nVia: 1.0 gateway-agent\r\n"))
    }

    struct Target: Sendable, CustomTestStringConvertible {
        let target: String
        let prefix: String
        let path: String
        let result: String?
        var rule: HTTPRule?
        init(_ target: String, _ prefix: String, _ path: String, _ result: String) {
            (self.target, self.prefix, self.path, self.result) = (target, prefix, path, result)
        }
        init(_ target: String, _ prefix: String, _ path: String, refused rule: HTTPRule) {
            (self.target, self.prefix, self.path, self.result, self.rule) = (target, prefix, path, nil, rule)
        }
        var testDescription: String { "\(target) \(prefix) -> \(path)" }
    }

    static let targets: [Target] = [
        Target("/r/v1/x?a=/b//c", "/r/", "/base/", "/base/v1/x?a=/b//c"),
        Target("/r/v1", "/r", "/base/", "/base/v1"), Target("/r/v1", "/r", "/base", "/base/v1"),
        Target("/r/v1", "/r/", "/base", "/base/v1"), Target("/r/v1", "/r/", "/", "/v1"),
        Target("/r/v1", "/r/", "", "/v1"), Target("/r/", "/r/", "", "/"), Target("/r", "/r", "", "/"),
        Target("/r?q", "/r", "", "/?q"), Target("/r?q", "/r", "/base", "/base?q"),
        Target("/r/?q", "/r", "/base", "/base/?q"),
        Target("/v1", "", "/", "/v1"), Target("/v1", "/", "/", "/v1"), Target("/", "", "/", "/"),
        Target("/r/a//b", "/r/", "/", "/a//b"),
        Target("/r//v1", "/r/", "/", refused: .doubleSlash), Target("/r//v1", "/r", "", refused: .doubleSlash),
        Target("/r//v1", "/r/", "/base/", refused: .doubleSlash),
        Target("/r..x/v1", "/r", "/base/", refused: .prefixBoundary),
        Target("/r../v1", "/r", "/base/", refused: .prefixBoundary),
        Target("/r", "/r/x", "/base/", refused: .prefixBoundary),
    ]

    @Test(arguments: targets)
    func `a target is rewritten under the upstream's path or refused`(_ row: Target) throws {
        let (head, bytes) = try requestHead("GET \(row.target) HTTP/1.1\r\nHost: a\r\n\r\n")
        var buffer = ByteBuffer()
        do throws(HTTPError) {
            try HeadWriter.begin(
                request: head, in: bytes.span, to: UpstreamForm(authority: "u", path: row.path, filter: FieldFilter()),
                replacing: row.prefix.utf8.count, framing: .none, into: &buffer)
            #expect(row.result.map { buffer.text.hasPrefix("GET \($0) HTTP/1.1\r\n") } == true)
        } catch {
            #expect(error.rule == row.rule)
            let text = buffer.text
            #expect(text.isEmpty)
        }
    }

    static func answered(
        _ text: String, framing: BodyFraming, declared: UInt64? = nil, keepsAlive: Bool = true,
        client: HTTPVersion = .http11
    ) throws -> String {
        let (head, bytes) = try responseHead(text)
        var buffer = ByteBuffer()
        HeadWriter.begin(
            response: head, in: bytes.span, framing: framing, declaredLength: declared, keepsAlive: keepsAlive,
            client: client, date: HTTPDate(second: 784_111_777), into: &buffer)
        HeadWriter.end(into: &buffer)
        return buffer.text
    }

    static let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    @Test func `a forwarded response holds what is meant for the client and nothing else`() throws {
        let received =
            "HTTP/1.0 200 Fine\r\nDate: x\r\nSet-Cookie: a\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 1\r\n"
            + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\nSet-Cookie: b\r\nAlt-Svc: h3\r\nVia: 1.1 z\r\n\r\n"
        #expect(
            try Self.answered(received, framing: .chunked)
                == "HTTP/1.1 200 Fine\r\nDate: x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nVia: 1.1 z\r\n"
                + "Via: 1.0 gateway-agent\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    static let answers: [(BodyFraming, UInt64?, Bool, HTTPVersion, String)] = [
        (BodyFraming.length(5), UInt64?.none, true, HTTPVersion.http11, "Content-Length: 5\r\n"),
        (.length(5), nil, false, .http11, "Content-Length: 5\r\nConnection: close\r\n"),
        (.length(5), nil, true, .http10, "Content-Length: 5\r\nConnection: keep-alive\r\n"),
        (.untilClose, nil, true, .http10, "Connection: close\r\n"),
        (.none, 7, true, .http11, "Content-Length: 7\r\n"),
        (.none, nil, true, .http11, ""),
        (.tunnel, nil, true, .http11, "Connection: upgrade\r\nUpgrade: websocket\r\n"),
    ]

    @Test(arguments: answers)
    func `framing and persistence of an answer are the client's`(
        _ framing: BodyFraming, _ declared: UInt64?, _ keepsAlive: Bool, _ client: HTTPVersion, _ fields: String
    ) throws {
        #expect(
            try Self.answered(
                "HTTP/1.1 200\r\n\r\n", framing: framing, declared: declared, keepsAlive: keepsAlive, client: client)
                == "HTTP/1.1 200 \r\n" + Self.date + "Via: 1.1 gateway-agent\r\n" + fields + "\r\n")
    }

    @Test(arguments: [(200, true), (304, true), (404, true), (204, false), (102, false)])
    func `a length without content is told of HEAD and 304, and never of a 1xx or 204`(
        status: Int, isTold: Bool
    ) throws {
        let text = try Self.answered("HTTP/1.1 \(status) X\r\nContent-Length: 5\r\n\r\n", framing: .none, declared: 5)
        #expect(text.contains("Content-Length: 5\r\n") == isTold)
    }

    @Test func `an interim answer goes on without framing`() throws {
        let (head, bytes) = try responseHead("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 5\r\n\r\n")
        var buffer = ByteBuffer()
        HeadWriter.append(interim: head, in: bytes.span, into: &buffer)
        #expect(buffer.text == "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    }

    @Test func `the agent's own answers are whole messages`() throws {
        var buffer = ByteBuffer()
        LocalAnswer.write(
            503, json: #"{"a":1}"#, keepsAlive: false, date: HTTPDate(second: 784_111_777), into: &buffer)
        #expect(
            buffer.text == "HTTP/1.1 503 Service Unavailable\r\n" + Self.date
                + "Content-Type: application/json\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{\"a\":1}")
        buffer.clear()
        LocalAnswer.write(405, json: "{}", to: .head, keepsAlive: true, date: HTTPDate(), into: &buffer)
        #expect(buffer.text.contains("\r\nAllow: GET"))
        #expect(buffer.text.hasSuffix("Content-Length: 2\r\n\r\n"))
    }

    static let dates: [(Int64, String)] = [
        (Int64(0), "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
        (253_402_300_800, "Fri, 31 Dec 9999 23:59:59 GMT"), (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ]

    @Test(arguments: dates)
    func `a date reads as HTTP writes it`(_ second: Int64, _ text: String) {
        var date = HTTPDate(second: 5)
        date.update(second: second)
        var buffer = ByteBuffer()
        date.append(into: &buffer)
        #expect(buffer.text == "Date: \(text)\r\n")
    }
}
