// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct RequestHeadTests {
    struct Accepted: Sendable, CustomTestStringConvertible {
        let text: String
        var method = "GET"
        var target = "/"
        var fields = ["Host=a"]
        var testDescription: String { text.debugDescription }
    }

    static let accepted: [Accepted] = [
        Accepted(text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Accepted(text: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Accepted(text: "GET / HTTP/1.0\r\n\r\n", fields: []),
        Accepted(text: "GET / HTTP/1.1\r\nHost:a\r\n\r\n"),
        Accepted(text: "GET / HTTP/1.1\r\nHost:\t  a \t\r\n\r\n"),
        Accepted(
            text: "POST /v1/chat?x=%&y[]=1 HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\nEmpty:\r\n\r\n", method: "POST",
            target: "/v1/chat?x=%&y[]=1", fields: ["Host=a", "X=1", "x=2", "Empty="]),
        Accepted(
            text: "M-SEARCH /a%2Fb/..c/.d/e.. HTTP/1.1\r\nhOST: [::1]:80\r\nT: a\tb\u{80}\r\n\r\n", method: "M-SEARCH",
            target: "/a%2Fb/..c/.d/e..", fields: ["hOST=[::1]:80", "T=a\tb\u{80}"]),
        Accepted(
            text: "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", target: "http://b/"),
        Accepted(
            text: "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", method: "CONNECT", target: "b:443",
            fields: ["Host=b:443"]),
        Accepted(text: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", method: "OPTIONS", target: "*"),
        Accepted(
            text: "GET / HTTP/1.1\r\nHost: a\r\nA-Name-Longer-Than-Every-Known-Name: \"v\"\r\n\r\n",
            fields: ["Host=a", "A-Name-Longer-Than-Every-Known-Name=\"v\""]),
    ]

    @Test(arguments: accepted)
    func `a well-formed head parses the same however it arrives`(_ row: Accepted) throws {
        let bytes = Array(row.text.utf8)
        let whole = parseRequest(bytes + Array("next".utf8), ends: [bytes.count + 4])
        guard case .complete(let head, let count) = whole else {
            Issue.record("\(whole)")
            return
        }
        #expect(count == bytes.count)
        #expect(head.method == row.method)
        #expect(head.target == row.target)
        #expect(head.fields == row.fields)
        for ends in deliveries(of: bytes.count) {
            #expect(parseRequest(bytes, ends: ends) == whole, "delivered as \(ends)")
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let text: String
        let rule: HTTPRule
        let status: Int
        init(_ text: String, _ rule: HTTPRule, _ status: Int = 400) {
            self.text = text
            self.rule = rule
            self.status = status
        }
        /// A request whose fields end with `lines`.
        static func fields(_ lines: String, _ rule: HTTPRule, _ status: Int = 400) -> Refused {
            Refused("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n\r\n", rule, status)
        }
        /// A request for `target`.
        static func target(_ target: String, _ rule: HTTPRule, _ status: Int = 400) -> Refused {
            Refused("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n", rule, status)
        }
        static func host(_ value: String) -> Refused {
            Refused("GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n", .host)
        }
        var testDescription: String { text.debugDescription }
    }

    static let startLines: [Refused] = [
        Refused("\r\n\r\nGET / HTTP/1.1\r\n", .emptyLines),
        Refused("\r\n\n", .emptyLines),
        Refused("\rGET / HTTP/1.1\r\n", .bareCarriageReturn),
        Refused("\nGET / HTTP/1.1\r\n", .bareLineFeed),
        Refused(" GET / HTTP/1.1\r\n", .method),
        Refused("G(T / HTTP/1.1\r\n", .method),
        Refused("GE\u{0}T / HTTP/1.1\r\n", .method),
        Refused("GÉT / HTTP/1.1\r\n", .method),
        Refused("GET\t/ HTTP/1.1\r\n", .method),
        Refused("GET\r\n", .method),
        Refused("GET\n", .bareLineFeed),
        Refused("\u{16}\u{3}\u{1}\u{2}", .method),
        Refused(String(repeating: "A", count: 33), .methodLength, 501),
        Refused("GET  / HTTP/1.1\r\n", .requestLine),
        Refused("GET /  HTTP/1.1\r\n", .version),
        Refused("GET /\r\n", .requestLine),
        Refused("GET /\n", .bareLineFeed),
        Refused("GET /a b HTTP/1.1\r\n", .version),
        Refused("GET /\tHTTP/1.1\r\n", .target),
        Refused("GET / http/1.1\r\n", .version),
        Refused("GET / HTTP/1.1 \r\n", .requestLine),
        Refused("GET / HTTP/1.1\n", .bareLineFeed),
        Refused("GET / HTTP/1.1\rX", .bareCarriageReturn),
        Refused("GET / HTTP/11\r\n", .version),
        Refused("GET / HTTP/1.10\r\n", .requestLine),
        Refused("GET / HTTP/1.\n", .bareLineFeed),
        Refused("GET / HTTP/0.9\r\n", .versionUnsupported, 505),
        Refused("GET / HTTP/1.2\r\n", .versionUnsupported, 505),
        Refused("GET / HTTP/2.0\r\n", .versionUnsupported, 505),
        Refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionUnsupported, 505),
    ]

    static let targets: [Refused] = [
        .target("a", .target), .target("?x", .target), .target("**", .target), .target("a.b:80", .target),
        .target("http:/x", .target), .target("://x", .target), .target("1http://x", .target),
        .target("/a#b", .target), .target("/a?b#c", .target), .target("/a\\b", .target), .target("/a\"b", .target),
        .target("/a<b", .target), .target("/[", .target), .target("/|", .target), .target("/ä", .target),
        .target("/\u{7F}", .target), .target("/\u{0}", .target), .target("/a?\u{1}", .target),
        .target("/a?<", .target),
        .target("//", .doubleSlash), .target("//a/b", .doubleSlash), .target("//?x", .doubleSlash),
        .target("/.", .dotSegment), .target("/..", .dotSegment), .target("/a/./b", .dotSegment),
        .target("/a/../b", .dotSegment), .target("/a/..", .dotSegment), .target("/a/..?x", .dotSegment),
        .target("/%2e%2e/", .dotSegment), .target("/a/.%2E/b", .dotSegment), .target("/a/%2E", .dotSegment),
        .target("/a/..%2fb", .dotSegment), .target("/a%2F..%2fb", .dotSegment), .target("/a%5c..%5Cb", .dotSegment),
        .target("/%", .percentTriplet), .target("/%2", .percentTriplet), .target("/%zz", .percentTriplet),
        .target("/%?41", .percentTriplet),
        .target("/%00", .encodedControl), .target("/a%0d%0aX", .encodedControl), .target("/%7F", .encodedControl),
        Refused("CONNECT b HTTP/1.1\r\n", .host), Refused("CONNECT b: HTTP/1.1\r\n", .host),
        Refused("CONNECT / HTTP/1.1\r\n", .host), Refused("CONNECT u@b:1 HTTP/1.1\r\n", .host),
        Refused("CONNECT b:99999 HTTP/1.1\r\n", .host),
    ]

    static let fields: [Refused] = [
        .fields("X : 1", .spaceInFieldName), .fields("X Y: 1", .spaceInFieldName), .fields("X\t: 1", .spaceInFieldName),
        .fields(": 1", .emptyFieldName), .fields("X", .missingColon), .fields("Host", .missingColon),
        .fields(" X: 1", .obsoleteFolding), .fields("X: 1\r\n folded", .obsoleteFolding),
        .fields("X: 1\r\n\tfolded", .obsoleteFolding), .fields("X: 1\r\n \r\n", .obsoleteFolding),
        Refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .obsoleteFolding),
        .fields("X(: 1", .fieldName), .fields("X\u{0}: 1", .fieldName), .fields("Ü: 1", .fieldName),
        .fields("X\"Y: 1", .fieldName), .fields("Content\rLength: 1", .missingColon),
        .fields("Content\u{D}Length: 1", .missingColon), .fields("http\u{12}-settings: 1", .fieldName),
        .fields("X\n: 1", .bareLineFeed), .fields("X: 1\n", .bareLineFeed), .fields("X: 1\nY: 2", .bareLineFeed),
        .fields("X: 1\rY: 2", .bareCarriageReturn), .fields("X: 1\r\r\n", .bareCarriageReturn),
        .fields("X: 1\r\n\rY", .bareCarriageReturn), .fields("X: 1\r\n\n", .bareLineFeed),
        .fields("X: a\u{0}b", .fieldValue), .fields("X: \u{7F}", .fieldValue), .fields("X: \u{1B}[0m", .fieldValue),
        .fields("X: 12345678\u{B}", .fieldValue),
        .fields("Host: a", .hostRepeated), .fields("Host: b", .hostRepeated),
        Refused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .hostRepeated),
        Refused("GET / HTTP/1.1\r\nHost_: a\r\n\r\n", .hostMissing),
        Refused("GET / HTTP/1.1\r\n\r\n", .hostMissing),
        .host(""), .host("a b"), .host("a,b"), .host("a@b"), .host("a/b"), .host("a:"), .host("a:b"), .host("a:65536"),
        .host("a:000080"), .host(":80"), .host("[::1"), .host("[]"), .host("[::1]x"), .host("[fe80::1%25eth0]"),
        .host("a%62"), .host("\u{E4}"), .host("a:80:80"), .host("a?"), .host("a#"), .host("\\"),
        .fields("Connection: a b", .connection), .fields("Connection: \"close\"", .connection),
        .fields("Connection: close;x", .connection),
        .fields("Connection: " + (1...33).map { "x\($0)" }.joined(separator: ","), .connectionOptions),
        .fields("Expect: 200-ok", .expectation, 417), .fields("Expect: 100-continue, x", .expectation, 417),
        .fields("Expect:", .expectation, 417),
        .fields("X: 1\r\n" + (1...200).map { "Y\($0): 1\r\n" }.joined(), .fieldCount, 431),
    ]

    @Test(arguments: startLines + targets + fields)
    func `a malformed head is refused the same however it arrives`(_ row: Refused) {
        let bytes = Array(row.text.utf8)
        let whole = parseRequest(bytes, ends: [bytes.count])
        #expect(whole.rule == row.rule)
        #expect(row.rule.status == row.status)
        for ends in deliveries(of: bytes.count) {
            #expect(parseRequest(bytes, ends: ends) == whole, "delivered as \(ends)")
        }
    }

    @Test(arguments: [
        ("GET /abcdefghij HTTP/1.1\r\nHost: a\r\n\r\n", HTTPRule.targetLength),
        ("GET /abcdefghijklm", .targetLength),
        ("GET /?bcdefghij HTTP/1.1\r\n", .targetLength),
        ("GET /abcdefghi HTTP/1.1\r\nHost: a\r\nX: 123456789012\r\n\r\n", .headLength),
        ("GET /abcdefghi HTTP/1.1\r\nHost: a\r\nX: 12345678901234567890", .headLength),
        ("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", .fieldCount),
        ("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\nD", .fieldCount),
        ("ABCDE / HTTP/1.1\r\n", .methodLength),
    ])
    func `what is longer than a limit is refused at its first byte beyond`(_ text: String, _ rule: HTTPRule) {
        var limits = HTTPLimits()
        limits.methodBytes = 4
        limits.targetBytes = 10
        limits.fieldCount = 3
        limits.headBytes = 52
        let bytes = Array(text.utf8)
        for ends in deliveries(of: bytes.count) {
            #expect(parseRequest(bytes, ends: ends, limits: limits).rule == rule, "delivered as \(ends)")
        }
    }

    @Test func `a head of exactly the limits is taken`() {
        let bytes = Array("POST /abcdefghi HTTP/1.1\r\nHost: a\r\nX: 123456789012\r\n\r\n".utf8)
        var limits = HTTPLimits()
        limits.methodBytes = 4
        limits.targetBytes = 10
        limits.fieldCount = 2
        limits.headBytes = bytes.count
        for ends in deliveries(of: bytes.count) {
            guard case .complete = parseRequest(bytes, ends: ends, limits: limits) else {
                Issue.record("delivered as \(ends)")
                return
            }
        }
    }

    @Test func `a head that was used before holds nothing of the message before`() throws {
        var head = RequestHead()
        let first = Array("GET /a?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n".utf8)
        let second = Array("PUT /b HTTP/1.0\r\n\r\n".utf8)
        #expect(try HeadParser.parseRequest(first.span, into: &head, limits: HTTPLimits()) == first.count)
        #expect(head.expectsContinue && head.connection.close)
        #expect(try HeadParser.parseRequest(second.span, into: &head, limits: HTTPLimits()) == second.count)
        #expect(head.fields.isEmpty && head.queryRange.isEmpty && head.hostRange.isEmpty)
        #expect(!head.expectsContinue && head.connection == ConnectionOptions())
        #expect(head.method == .put && head.version == .http10 && !head.keepsAlive)
    }

    @Test(arguments: [
        ("HTTP/1.1", "X: y", true), ("HTTP/1.1", "Connection: keep-alive", true),
        ("HTTP/1.1", "Connection: close", false),
        ("HTTP/1.1", "Connection: x, CLOSE", false), ("HTTP/1.1", "Connection: x\r\nConnection: , close ,", false),
        ("HTTP/1.0", "X: y", false), ("HTTP/1.0", "Connection: Keep-Alive", true),
        ("HTTP/1.0", "Connection: keep-alive, close", false), ("HTTP/1.0", "Proxy-Connection: keep-alive", false),
    ])
    func `a connection persists as its version and options say`(_ version: String, _ field: String, _ expected: Bool)
        throws
    {
        let (head, _) = try requestHead("GET / \(version)\r\nHost: a\r\n\(field)\r\n\r\n")
        #expect(head.keepsAlive == expected)
    }

    @Test(arguments: [
        ("GET", "Connection: Upgrade\r\nUpgrade: websocket", true),
        ("GET", "Connection: keep-alive, upgrade\r\nUpgrade: WebSocket", true),
        ("GET", "Upgrade: websocket", false),
        ("GET", "Connection: upgrade", false),
        ("GET", "Connection: upgrade\r\nUpgrade: h2c", false),
        ("GET", "Connection: upgrade\r\nUpgrade: h2c, websocket", false),
        ("GET", "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c", false),
        ("POST", "Connection: upgrade\r\nUpgrade: websocket", false),
    ])
    func `only a websocket handshake counts as an upgrade`(_ method: String, _ fields: String, _ expected: Bool) throws
    {
        let (head, _) = try requestHead("\(method) / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n")
        #expect(head.asksWebSocket == expected)
    }

    @Test(arguments: [
        ("GET http://b/ HTTP/1.1", HTTPRule.absoluteForm, 400), ("OPTIONS * HTTP/1.1", .asteriskForm, 400),
        ("CONNECT b:1 HTTP/1.1", .connect, 501), ("TRACE / HTTP/1.1", .trace, 405),
    ])
    func `what no route can serve is refused with its own status`(_ line: String, _ rule: HTTPRule, _ status: Int)
        throws
    {
        let (head, _) = try requestHead("\(line)\r\nHost: a\r\n\r\n")
        let error = #expect(throws: HTTPError.self) { try ServedRequests.check(head) }
        #expect(error?.rule == rule)
        #expect(error?.status == status)
    }
}
