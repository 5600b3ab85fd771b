// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct BodyFramingTests {
    @Test(arguments: [
        ("HTTP/1.1", "X: y", BodyFraming.none),
        ("HTTP/1.1", "Content-Length: 0", .length(0)),
        ("HTTP/1.1", "content-length:   0042\t", .length(42)),
        ("HTTP/1.0", "Content-Length: 7", .length(7)),
        ("HTTP/1.1", "Content-Length: 9223372036854775807", .length(9_223_372_036_854_775_807)),
        ("HTTP/1.1", "Transfer-Encoding: chunked", .chunked),
        ("HTTP/1.1", "transfer-encoding: CHUNKED", .chunked),
    ])
    func `content of a request ends where its fields say`(_ version: String, _ field: String, _ framing: BodyFraming)
        throws
    {
        let (head, bytes) = try requestHead("POST / \(version)\r\nHost: a\r\n\(field)\r\n\r\n")
        #expect(try BodyFraming.request(head, in: bytes.span, limits: HTTPLimits()) == framing)
    }

    static let refused: [(String, HTTPRule)] = [
        ("Content-Length:", .contentLength), ("Content-Length: -1", .contentLength),
        ("Content-Length: +1", .contentLength), ("Content-Length: 0x10", .contentLength),
        ("Content-Length: 1 2", .contentLength), ("Content-Length: 1,1", .contentLength),
        ("Content-Length: 1, 2", .contentLength), ("Content-Length: 1e3", .contentLength),
        ("Content-Length: ٣", .contentLength), ("Content-Length: \"5\"", .contentLength),
        ("Content-Length: 9223372036854775808", .contentLength),
        ("Content-Length: 18446744073709551617", .contentLength),
        ("Content-Length: 99999999999999999999999999", .contentLength),
        ("Content-Length: 5\r\nContent-Length: 6", .contentLengthRepeated),
        ("Content-Length: 5\r\nX: y\r\ncontent-length: 5", .contentLengthRepeated),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", .contentLengthWithCoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: x", .contentLengthWithCoding),
        ("Transfer-Encoding: identity\r\nContent-Length: 5", .contentLengthWithCoding),
        ("Transfer-Encoding:", .transferCoding), ("Transfer-Encoding: ,", .transferCoding),
        ("Transfer-Encoding: identity", .transferCoding), ("Transfer-Encoding: gzip", .transferCoding),
        ("Transfer-Encoding: chunked, gzip", .transferCoding), ("Transfer-Encoding: chunked, chunked", .transferCoding),
        ("Transfer-Encoding: chunked,", .transferCoding), ("Transfer-Encoding: , chunked", .transferCoding),
        ("Transfer-Encoding: gzip, chunked, x", .transferCoding), ("Transfer-Encoding: xchunked", .transferCoding),
        ("Transfer-Encoding: chunked;q=1", .transferCoding), ("Transfer-Encoding: \"chunked\"", .transferCoding),
        ("Transfer-Encoding: chunk\u{E9}d", .transferCoding), ("Transfer-Encoding: chun ked", .transferCoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .transferCoding),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", .transferCoding),
        ("Transfer-Encoding: gzip, chunked", .transferCodingUnknown),
    ]

    @Test(arguments: refused)
    func `ambiguous framing of a request is refused`(_ fields: String, _ rule: HTTPRule) throws {
        let (head, bytes) = try requestHead("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n")
        let error = #expect(throws: HTTPError.self) {
            try BodyFraming.request(head, in: bytes.span, limits: HTTPLimits())
        }
        #expect(error?.rule == rule)
        #expect(error?.status == (rule == .transferCodingUnknown ? 501 : 400))
    }

    @Test(arguments: refused)
    func `ambiguous framing of a response is refused`(_ fields: String, _ rule: HTTPRule) throws {
        let (head, bytes) = try responseHead("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n")
        let error = #expect(throws: HTTPError.self) {
            try BodyFraming.response(head, in: bytes.span, to: .get, askedWebSocket: false)
        }
        #expect(error?.rule == rule)
    }

    @Test func `a transfer coding in HTTP 1.0 is refused`() throws {
        let (head, bytes) = try requestHead("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")
        let error = #expect(throws: HTTPError.self) {
            try BodyFraming.request(head, in: bytes.span, limits: HTTPLimits())
        }
        #expect(error?.rule == .transferCodingVersion)
    }

    @Test(arguments: [("Content-Length: 11", HTTPRule.contentTooLarge, 413), ("Content-Length: 10", nil, 0)])
    func `announced content beyond the limit is refused`(_ field: String, _ rule: HTTPRule?, _ status: Int) throws {
        let (head, bytes) = try requestHead("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")
        var limits = HTTPLimits()
        limits.contentBytes = 10
        do throws(HTTPError) {
            #expect(try BodyFraming.request(head, in: bytes.span, limits: limits) == .length(10))
            #expect(rule == nil)
        } catch {
            #expect(error.rule == rule)
            #expect(error.status == status)
        }
    }

    @Test func `a websocket handshake with content is refused`() throws {
        let (head, bytes) = try requestHead(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\n")
        let error = #expect(throws: HTTPError.self) {
            try BodyFraming.request(head, in: bytes.span, limits: HTTPLimits())
        }
        #expect(error?.rule == .upgradeWithContent)
    }

    struct Answer: Sendable, CustomTestStringConvertible {
        var line = "HTTP/1.1 200 OK"
        var fields = "X: y"
        var method = HTTPMethod.get
        var webSocket = false
        let framing: BodyFraming
        let keepsAlive: Bool
        var testDescription: String { "\(method) \(line) \(fields)" }
    }

    @Test(arguments: [
        Answer(framing: .untilClose, keepsAlive: false),
        Answer(fields: "Content-Length: 3", framing: .length(3), keepsAlive: true),
        Answer(fields: "Content-Length: 3\r\nConnection: close", framing: .length(3), keepsAlive: false),
        Answer(line: "HTTP/1.0 200 OK", fields: "Content-Length: 3", framing: .length(3), keepsAlive: false),
        Answer(
            line: "HTTP/1.0 200 OK", fields: "Content-Length: 3\r\nConnection: keep-alive", framing: .length(3),
            keepsAlive: true),
        Answer(fields: "Transfer-Encoding: chunked", framing: .chunked, keepsAlive: true),
        Answer(fields: "Content-Length: 3", method: .head, framing: .none, keepsAlive: true),
        Answer(fields: "Transfer-Encoding: chunked", method: .head, framing: .none, keepsAlive: true),
        Answer(method: .head, framing: .none, keepsAlive: true),
        Answer(line: "HTTP/1.1 204 No Content", framing: .none, keepsAlive: true),
        Answer(line: "HTTP/1.1 204 No Content", fields: "Content-Length: 0", framing: .none, keepsAlive: true),
        Answer(line: "HTTP/1.1 204 No Content", fields: "Content-Length: 3", framing: .none, keepsAlive: false),
        Answer(
            line: "HTTP/1.1 204 No Content", fields: "Transfer-Encoding: chunked", framing: .none, keepsAlive: false),
        Answer(line: "HTTP/1.1 304 Not Modified", fields: "Content-Length: 3", framing: .none, keepsAlive: true),
        Answer(line: "HTTP/1.1 100 Continue", framing: .none, keepsAlive: true),
        Answer(line: "HTTP/1.1 103 Early Hints", fields: "Link: x", framing: .none, keepsAlive: true),
        Answer(line: "HTTP/1.1 200 OK", method: .connect, framing: .tunnel, keepsAlive: false),
        Answer(
            line: "HTTP/1.1 407 No", fields: "Content-Length: 3", method: .connect, framing: .length(3),
            keepsAlive: true),
        Answer(
            line: "HTTP/1.1 101 Switching Protocols", fields: "Connection: Upgrade\r\nUpgrade: websocket",
            webSocket: true, framing: .tunnel, keepsAlive: false),
    ])
    func `content of a response ends where status, method and fields say`(_ row: Answer) throws {
        let (head, bytes) = try responseHead("\(row.line)\r\n\(row.fields)\r\n\r\n")
        let framing = try BodyFraming.response(head, in: bytes.span, to: row.method, askedWebSocket: row.webSocket)
        #expect(framing == row.framing)
        #expect(head.keepsAlive(framing, in: bytes.span) == row.keepsAlive)
    }

    @Test(arguments: [
        ("Connection: Upgrade\r\nUpgrade: websocket", false), ("Connection: Upgrade\r\nUpgrade: h2c", true),
        ("Upgrade: websocket", true), ("Connection: Upgrade", true),
        ("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket", true),
    ])
    func `an upgrade nobody asked for is refused`(_ fields: String, _ asked: Bool) throws {
        let (head, bytes) = try responseHead("HTTP/1.1 101 Switching Protocols\r\n\(fields)\r\n\r\n")
        let error = #expect(throws: HTTPError.self) {
            try BodyFraming.response(head, in: bytes.span, to: .get, askedWebSocket: asked)
        }
        #expect(error?.rule == .upgradeUnasked)
    }

    @Test func `content goes on in the framing that the client can read`() {
        for framing in [BodyFraming.none, .length(3), .tunnel] {
            #expect(framing.towards(.http10) == framing)
            #expect(framing.towards(.http11) == framing)
        }
        for framing in [BodyFraming.chunked, .untilClose] {
            #expect(framing.towards(.http10) == .untilClose)
            #expect(framing.towards(.http11) == .chunked)
        }
    }
}
