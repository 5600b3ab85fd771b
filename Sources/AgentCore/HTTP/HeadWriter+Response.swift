// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension HeadWriter {
    /// Writes all of a final response head but the caller's additions and the empty line.
    ///
    /// - Parameters:
    ///   - framing: towards the client, as `BodyFraming.towards` gives it; `.tunnel` for the answer to a handshake.
    ///   - declaredLength: of an answer to HEAD or a 304, whose length frames nothing.
    ///   - keepsAlive: whether the client's connection stays open behind this answer.
    ///   - client: the version of the request.
    ///   - date: for an answer that came without `Date` (RFC 9110 §6.6.1).
    static func begin(
        response head: ResponseHead, in bytes: Span<UInt8>, framing: BodyFraming, declaredLength: UInt64? = nil,
        leavingOut filter: FieldFilter = FieldFilter(), keepsAlive: Bool, client: HTTPVersion,
        date: HTTPDate, into buffer: inout ByteBuffer
    ) {
        appendStatusLine(head, in: bytes, into: &buffer)
        let selection = FieldSelection(always: .replacedInResponses, filter: filter, connection: head.connection)
        copy(head.fields, of: bytes, selection, into: &buffer)
        if !head.fields.names.contains(.date) { date.append(into: &buffer) }
        appendVia(head.version, into: &buffer)
        // RFC 9110 §8.6: a 1xx or 204 tells of none, whatever the upstream wrote.
        if framing == .none, head.status >= 200, head.status != 204, let declaredLength {
            append("Content-Length", decimal: declaredLength, into: &buffer)
        } else {
            appendFraming(framing, into: &buffer)
        }
        if framing == .tunnel {
            buffer.append("Connection: upgrade\r\nUpgrade: websocket\r\n")
        } else {
            appendPersistence(keepsAlive && framing != .untilClose, client, into: &buffer)
        }
    }

    /// Writes a whole interim response: 100, 102, 103 (RFC 9110 §15.2). Not for HTTP/1.0 clients.
    static func append(interim head: ResponseHead, in bytes: Span<UInt8>, into buffer: inout ByteBuffer) {
        appendStatusLine(head, in: bytes, into: &buffer)
        let selection = FieldSelection(
            always: .replacedInResponses, filter: FieldFilter(), connection: head.connection)
        copy(head.fields, of: bytes, selection, into: &buffer)
        end(into: &buffer)
    }

    /// The agent's own version, the upstream's status and reason.
    private static func appendStatusLine(_ head: ResponseHead, in bytes: Span<UInt8>, into buffer: inout ByteBuffer) {
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: UInt64(head.status))
        buffer.append(.space)
        buffer.append(bytes.slice(head.reasonRange))
        buffer.append("\r\n")
    }

    /// An HTTP/1.1 client expects the connection to stay, an older one to go: said where it is otherwise.
    static func appendPersistence(_ keepsAlive: Bool, _ client: HTTPVersion, into buffer: inout ByteBuffer) {
        if !keepsAlive {
            buffer.append("Connection: close\r\n")
        } else if client == .http10 {
            buffer.append("Connection: keep-alive\r\n")
        }
    }
}
