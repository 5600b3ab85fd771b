// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What a route makes of every request on its way to its upstream; made once, when the configuration is read.
final class UpstreamForm: Sendable {
    /// The `Host` that the upstream is asked for; whatever the caller wrote goes no further.
    let authority: [UInt8]
    /// What stands in place of the route's prefix: a checked path, or nothing for `/`. One slash, and only one, comes
    /// between it and the rest.
    let path: [UInt8]
    /// The caller's credential fields, which go no further.
    let filter: FieldFilter

    init(authority: String, path: String, filter: FieldFilter) {
        self.authority = Array(authority.utf8)
        self.path = Array(path.utf8)
        self.filter = filter
    }
}

extension HeadWriter {
    /// What else a forwarded request says.
    struct RequestOptions: OptionSet, Sendable {
        let rawValue: UInt8
        /// Passes the caller's `Expect: 100-continue` on; whoever sets it waits for the answer.
        static let expectContinue = RequestOptions(rawValue: 1)
        /// Tells the upstream that trailers are welcome (RFC 9110 §10.1.4).
        static let trailersWelcome = RequestOptions(rawValue: 2)
        /// The handshake of a WebSocket; only for a head that `asksWebSocket`.
        static let webSocket = RequestOptions(rawValue: 4)
        /// Asks the upstream to close after its answer.
        static let close = RequestOptions(rawValue: 8)
    }

    /// Writes all of a request head but the caller's additions and the empty line.
    ///
    /// - Parameters:
    ///   - prefix: how many bytes of the path `upstream.path` replaces. The query follows byte for byte.
    ///   - framing: of the content as it will be sent, decided by `BodyFraming.request`.
    /// - Throws: when what would come out is not a path under `upstream.path`; the buffer is then as it was.
    static func begin(
        request head: RequestHead, in bytes: Span<UInt8>, to upstream: UpstreamForm, replacing prefix: Int,
        framing: BodyFraming, options: RequestOptions = [], into buffer: inout ByteBuffer
    ) throws(HTTPError) {
        let rest = try restOfTarget(head, in: bytes, behind: prefix)
        buffer.append(bytes.slice(head.methodRange))
        buffer.append(.space)
        buffer.append(upstream.path)
        if upstream.path.last != UInt8(ascii: "/"), rest.needsSlash || upstream.path.isEmpty {
            buffer.append(UInt8(ascii: "/"))
        }
        buffer.append(bytes.slice(rest.range))
        buffer.append(" HTTP/1.1\r\nHost: ")
        buffer.append(upstream.authority)
        buffer.append("\r\n")
        let selection = FieldSelection(
            always: .replacedInRequests, filter: upstream.filter, connection: head.connection)
        copy(head.fields, of: bytes, selection, into: &buffer)
        appendVia(head.version, into: &buffer)
        appendFraming(framing, into: &buffer)
        appendOptions(options, into: &buffer)
    }

    /// The part of the target that is kept, behind the slash that parts it from the prefix, and whether a slash goes
    /// before it.
    ///
    /// It must begin where a segment does, or a prefix that ends inside one could leave a dot-segment (`/a` taken off
    /// `/a..`). It must not begin with another slash, or the result could begin with `//` and be read as an authority.
    private static func restOfTarget(
        _ head: RequestHead, in bytes: Span<UInt8>, behind prefix: Int
    ) throws(HTTPError) -> (range: ByteRange, needsSlash: Bool) {
        let path = head.pathRange
        guard prefix >= 0, prefix <= path.count else { throw HTTPError(.prefixBoundary) }
        let slash = UInt8(ascii: "/")
        var start = path.lower + prefix
        var parted = prefix > 0 && bytes[start - 1] == slash
        if !parted, start < path.upper {
            guard bytes[start] == slash else { throw HTTPError(.prefixBoundary, at: start) }
            start += 1
            parted = true
        }
        if start < path.upper, bytes[start] == slash { throw HTTPError(.doubleSlash, at: start) }
        return (ByteRange(start, head.targetRange.upper), parted)
    }

    private static func appendOptions(_ options: RequestOptions, into buffer: inout ByteBuffer) {
        if options.isEmpty { return }
        if options.contains(.expectContinue) { append("Expect", "100-continue", into: &buffer) }
        if options.contains(.webSocket) {
            buffer.append("Connection: upgrade\r\nUpgrade: websocket\r\n")
            return
        }
        // TE is for this connection, and must be named by Connection (RFC 9110 §10.1.4).
        switch (options.contains(.trailersWelcome), options.contains(.close)) {
        case (true, true): buffer.append("Connection: close, te\r\nTE: trailers\r\n")
        case (true, false): buffer.append("Connection: te\r\nTE: trailers\r\n")
        case (false, true): buffer.append("Connection: close\r\n")
        case (false, false): break
        }
    }

    /// The one field that frames the content, written by nobody else.
    static func appendFraming(_ framing: BodyFraming, into buffer: inout ByteBuffer) {
        switch framing {
        case .length(let length): append("Content-Length", decimal: length, into: &buffer)
        case .chunked: append("Transfer-Encoding", "chunked", into: &buffer)
        case .none, .untilClose, .tunnel: break
        }
    }
}
