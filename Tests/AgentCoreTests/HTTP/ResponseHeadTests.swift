// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct ResponseHeadTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\n", 200, "OK"), ("HTTP/1.1 200 \r\n\r\n", 200, ""), ("HTTP/1.1 200\r\n\r\n", 200, ""),
        ("HTTP/1.0 404 Not Found\r\nX: y\r\n\r\n", 404, "Not Found"),
        ("HTTP/1.1 599 \u{E4}\t x\r\nX:\r\n\r\n", 599, "\u{E4}\t x"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, "Switching Protocols"),
    ])
    func `a well-formed head parses the same however it arrives`(_ text: String, _ status: Int, _ reason: String) {
        let bytes = Array(text.utf8)
        let whole = parseResponse(bytes + [1, 2], ends: [bytes.count + 2])
        guard case .complete(let head, let count) = whole else {
            Issue.record("\(whole)")
            return
        }
        #expect(count == bytes.count)
        #expect(head.status == status)
        #expect(head.reason == reason)
        for ends in deliveries(of: bytes.count) {
            #expect(parseResponse(bytes, ends: ends) == whole, "delivered as \(ends)")
        }
    }

    @Test(arguments: [
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", HTTPRule.version), ("http/1.1 200 OK\r\n\r\n", .version),
        ("ICY 200 OK\r\n", .version), ("HTTP/2.0 200 OK\r\n", .versionUnsupported),
        ("HTTP/1.1  200 OK\r\n", .statusLine), ("HTTP/1.1 20 OK\r\n", .statusLine),
        ("HTTP/1.1 2000 OK\r\n", .statusLine),
        ("HTTP/1.1 099 OK\r\n", .statusLine), ("HTTP/1.1 600 OK\r\n", .statusLine),
        ("HTTP/1.1 999 OK\r\n", .statusLine),
        ("HTTP/1.1 +20 OK\r\n", .statusLine), ("HTTP/1.1 200\tOK\r\n", .statusLine),
        ("HTTP/1.1 200 O\u{0}K\r\n", .statusLine), ("HTTP/1.1 200 OK\n\n", .bareLineFeed),
        ("HTTP/1.1 200\n", .bareLineFeed), ("HTTP/1.1 200 O\rK\r\n", .bareCarriageReturn),
        ("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", .obsoleteFolding),
        ("HTTP/1.1 200 OK\r\nX : a\r\n\r\n", .spaceInFieldName),
        ("HTTP/1.1 200 OK\r\nConnection: a;b\r\n\r\n", .connection),
    ])
    func `a malformed head is refused the same however it arrives`(_ text: String, _ rule: HTTPRule) {
        let bytes = Array(text.utf8)
        let whole = parseResponse(bytes, ends: [bytes.count])
        #expect(whole.rule == rule)
        for ends in deliveries(of: bytes.count) {
            #expect(parseResponse(bytes, ends: ends) == whole, "delivered as \(ends)")
        }
    }
}
