// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Answers that the agent gives by itself, written whole: head, fields, content.
enum LocalAnswer {
    /// The part up to the caller's own fields. Follow it with `HeadWriter.append`, then `finish`.
    ///
    /// - Parameter allow: the methods that a 405 names as allowed.
    static func begin(
        _ status: Int, date: HTTPDate, allow: StaticString = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        into buffer: inout ByteBuffer
    ) {
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: UInt64(max(0, status)))
        buffer.append(.space)
        buffer.append(HTTPStatus.reason(status))
        buffer.append("\r\n")
        date.append(into: &buffer)
        // RFC 9110 §15.5.6.
        if status == 405 { HeadWriter.append("Allow", allow, into: &buffer) }
    }

    /// Length, persistence, the empty line and the content.
    ///
    /// - Parameters:
    ///   - method: of the request; HEAD gets the length and no content.
    ///   - keepsAlive: false when the bytes that follow on the connection cannot be trusted.
    static func finish(
        type: StaticString, content: Span<UInt8>, to method: HTTPMethod, keepsAlive: Bool, client: HTTPVersion,
        into buffer: inout ByteBuffer
    ) {
        if !content.isEmpty { HeadWriter.append("Content-Type", type, into: &buffer) }
        HeadWriter.append("Content-Length", decimal: UInt64(content.count), into: &buffer)
        HeadWriter.appendPersistence(keepsAlive, client, into: &buffer)
        HeadWriter.end(into: &buffer)
        if method != .head { buffer.append(content) }
    }

    /// A whole answer with JSON content.
    static func write(
        _ status: Int, json: String, to method: HTTPMethod = .get, keepsAlive: Bool, client: HTTPVersion = .http11,
        date: HTTPDate, into buffer: inout ByteBuffer
    ) {
        begin(status, date: date, into: &buffer)
        finish(
            type: "application/json", content: json.utf8.span, to: method, keepsAlive: keepsAlive, client: client,
            into: &buffer)
    }

    /// 100 (Continue), when the agent itself invites the content.
    static func writeContinue(into buffer: inout ByteBuffer) {
        buffer.append("HTTP/1.1 100 Continue\r\n\r\n")
    }
}
