// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Parses heads in place, strictly: where RFC 9112 lets a recipient be lenient, this one refuses, since a message that
/// two readers understand differently must not pass with a credential in it.
///
/// Both functions take all the bytes received so far, may be called again with more of them appended, and go on where
/// they stopped. They answer the length of the whole head, or nil while it is incomplete. Every byte is judged when it
/// is first seen, so the outcome is the same however the bytes arrived, and what is not HTTP at all (a TLS handshake on
/// this port) is refused at its first byte.
enum HeadParser {
    /// Offsets count from the first byte given, an empty line before the request line included.
    static func parseRequest(
        _ bytes: Span<UInt8>, into head: inout RequestHead, limits: HTTPLimits
    ) throws(HTTPError) -> Int? {
        if head.progress == .complete { head.removeAll() }
        let end = min(bytes.count, limits.headBytes)
        if let count = try request(bytes, to: end, into: &head, limits) { return count }
        if bytes.count >= limits.headBytes { throw HTTPError(.headLength, limit: limits.headBytes) }
        return nil
    }

    private static func request(
        _ bytes: Span<UInt8>, to end: Int, into head: inout RequestHead, _ limits: HTTPLimits
    ) throws(HTTPError) -> Int? {
        if head.progress != .fields {
            guard try requestLine(bytes, to: end, into: &head, limits) else { return nil }
        }
        guard let count = try head.fields.parse(bytes, to: end, limit: limits.fieldCount) else { return nil }
        try finish(&head, bytes, limits)
        head.progress = .complete
        return count
    }

    // MARK: The request line, RFC 9112 §3

    private static func requestLine(
        _ bytes: Span<UInt8>, to end: Int, into head: inout RequestHead, _ limits: HTTPLimits
    ) throws(HTTPError) -> Bool {
        if head.progress == .start {
            guard let start = try startOfRequest(bytes, to: end) else { return false }
            head.methodRange = ByteRange(start, start)
            head.scanned = start
            head.progress = .method
        }
        if head.progress == .method {
            guard try method(bytes, to: end, into: &head, limits) else { return false }
        }
        if head.progress == .target {
            guard try target(bytes, to: end, into: &head, limits) else { return false }
        }
        let start = head.targetRange.upper + 1
        guard let version = try version(bytes, from: start, to: end) else { return false }
        guard let next = try endOfLine(bytes, at: start + 8, to: end) else { return false }
        head.version = version
        head.fields.removeAll(from: next)
        head.progress = .fields
        return true
    }

    /// One empty line before the request line is forgiven: some clients end a form's content with it (RFC 9112 §2.2).
    private static func startOfRequest(_ bytes: Span<UInt8>, to end: Int) throws(HTTPError) -> Int? {
        guard end > 0 else { return nil }
        guard bytes[0] == .carriageReturn else { return 0 }
        guard end > 1 else { return nil }
        guard bytes[1] == .lineFeed else { throw HTTPError(.bareCarriageReturn, at: 0) }
        guard end > 2 else { return nil }
        if bytes[2] == .carriageReturn || bytes[2] == .lineFeed { throw HTTPError(.emptyLines, at: 2) }
        return 2
    }

    private static func method(
        _ bytes: Span<UInt8>, to end: Int, into head: inout RequestHead, _ limits: HTTPLimits
    ) throws(HTTPError) -> Bool {
        let start = head.methodRange.lower
        let bound = min(end, start + limits.methodBytes + 1)
        let stop = bytes.end(of: .token, from: head.scanned, to: bound)
        head.scanned = stop
        if stop - start > limits.methodBytes { throw HTTPError(.methodLength, limit: limits.methodBytes) }
        guard stop < end else { return false }
        guard bytes[stop] == .space, stop > start else {
            if bytes[stop] == .lineFeed { throw HTTPError(.bareLineFeed, at: stop) }
            throw HTTPError(.method, at: stop, byte: bytes[stop])
        }
        head.methodRange = ByteRange(start, stop)
        head.method = HTTPMethod(bytes.slice(head.methodRange))
        head.scanned = stop + 1
        head.targetRange = ByteRange(stop + 1, stop + 1)
        head.progress = .target
        return true
    }

    private static func target(
        _ bytes: Span<UInt8>, to end: Int, into head: inout RequestHead, _ limits: HTTPLimits
    ) throws(HTTPError) -> Bool {
        let start = head.targetRange.lower
        let bound = min(end, start + limits.targetBytes + 1)
        // Before the question mark `queryRange` is empty.
        if head.queryRange.isEmpty {
            let stop = bytes.end(of: .path, from: head.scanned, to: bound)
            head.scanned = stop
            if stop < bound, bytes[stop] == UInt8(ascii: "?") {
                head.queryRange = ByteRange(stop, stop + 1)
                head.scanned = stop + 1
            }
        }
        if !head.queryRange.isEmpty { head.scanned = bytes.end(of: .query, from: head.scanned, to: bound) }
        let stop = head.scanned
        if stop - start > limits.targetBytes { throw HTTPError(.targetLength, limit: limits.targetBytes) }
        guard stop < end else { return false }
        guard bytes[stop] == .space, stop > start else { throw refusal(ofTargetByte: bytes[stop], at: stop) }
        head.targetRange = ByteRange(start, stop)
        let pathEnd = head.queryRange.isEmpty ? stop : head.queryRange.lower
        head.queryRange = ByteRange(pathEnd, stop)
        head.pathRange = ByteRange(start, pathEnd)
        try classify(&head, bytes)
        head.scanned = stop + 1
        head.progress = .version
        return true
    }

    private static func refusal(ofTargetByte byte: UInt8, at offset: Int) -> HTTPError {
        switch byte {
        case .space, .carriageReturn: HTTPError(.requestLine, at: offset)
        case .lineFeed: HTTPError(.bareLineFeed, at: offset)
        default: HTTPError(.target, at: offset, byte: byte)
        }
    }

    /// Which form the target has, and whether it is well formed (RFC 9112 §3.2).
    private static func classify(_ head: inout RequestHead, _ bytes: Span<UInt8>) throws(HTTPError) {
        let first = bytes[head.targetRange.lower]
        if head.method == .connect {
            head.form = .authority
            try RequestTarget.checkAuthority(bytes, head.targetRange, needsPort: true)
        } else if first == UInt8(ascii: "/") {
            head.form = .origin
            try RequestTarget.checkPath(bytes, head.pathRange)
            return
        } else if first == UInt8(ascii: "*"), head.targetRange.count == 1 {
            head.form = .asterisk
        } else if hasScheme(bytes, head.pathRange) {
            head.form = .absolute
        } else {
            throw HTTPError(.target, at: head.targetRange.lower, byte: first)
        }
        head.pathRange = .none
        head.queryRange = .none
    }

    /// `scheme "://"` (RFC 3986 §3.1).
    private static func hasScheme(_ bytes: Span<UInt8>, _ range: ByteRange) -> Bool {
        var index = range.lower
        while index < range.upper, 0x61...0x7A ~= bytes[index] | 0x20 { index += 1 }
        return index > range.lower && index + 2 < range.upper
            && bytes[index] == UInt8(ascii: ":") && bytes[index + 1] == UInt8(ascii: "/")
            && bytes[index + 2] == UInt8(ascii: "/")
    }

    // MARK: What both heads share

    /// `HTTP/` digit `.` digit at `start`, judged byte by byte; nil while incomplete (RFC 9112 §2.3).
    static func version(_ bytes: Span<UInt8>, from start: Int, to end: Int) throws(HTTPError) -> HTTPVersion? {
        let pattern: InlineArray<8, UInt8> = [0x48, 0x54, 0x54, 0x50, 0x2F, 0x30, 0x2E, 0x30]
        for index in 0..<8 {
            guard start + index < end else { return nil }
            let byte = bytes[start + index]
            let fits = index == 5 || index == 7 ? byte.isDigit : byte == pattern[index]
            if !fits {
                if byte == .lineFeed { throw HTTPError(.bareLineFeed, at: start + index) }
                throw HTTPError(.version, at: start + index, byte: byte)
            }
        }
        guard bytes[start + 5] == UInt8(ascii: "1"), bytes[start + 7] <= UInt8(ascii: "1") else {
            throw HTTPError(.versionUnsupported, at: start)
        }
        return bytes[start + 7] == UInt8(ascii: "1") ? .http11 : .http10
    }

    /// CRLF at `offset`; answers the offset behind it, nil while incomplete.
    static func endOfLine(_ bytes: Span<UInt8>, at offset: Int, to end: Int) throws(HTTPError) -> Int? {
        guard offset < end else { return nil }
        guard bytes[offset] == .carriageReturn else {
            if bytes[offset] == .lineFeed { throw HTTPError(.bareLineFeed, at: offset) }
            throw HTTPError(.requestLine, at: offset, byte: bytes[offset])
        }
        guard offset + 1 < end else { return nil }
        guard bytes[offset + 1] == .lineFeed else { throw HTTPError(.bareCarriageReturn, at: offset) }
        return offset + 2
    }

    // MARK: Fields with a meaning for every request

    private static func finish(
        _ head: inout RequestHead, _ bytes: Span<UInt8>, _ limits: HTTPLimits
    ) throws(HTTPError) {
        if head.fields.repeated.contains(.host) { throw HTTPError(.hostRepeated) }
        if let host = head.fields[.host] {
            try RequestTarget.checkAuthority(bytes, host.valueRange)
            head.hostRange = host.valueRange
        } else if head.version == .http11 {
            throw HTTPError(.hostMissing)
        }
        head.connection = try ConnectionOptions(head.fields, in: bytes, limit: limits.connectionOptions)
        // HTTP/1.0 knows neither expectation nor upgrade (RFC 9110 §10.1.1, §7.8).
        guard head.version == .http11 else { return }
        if head.fields.names.contains(.expect) {
            for line in head.fields.lines where line.name == .expect {
                guard bytes.isName(line.valueRange, continueExpectation) else {
                    throw HTTPError(.expectation, at: line.valueRange.lower)
                }
            }
            head.expectsContinue = true
        }
        if head.connection.upgrade, head.method == .get, !head.fields.repeated.contains(.upgrade),
            let upgrade = head.fields[.upgrade], bytes.isName(upgrade.valueRange, webSocketProtocol)
        {
            head.asksWebSocket = true
        }
    }

    private static let continueExpectation = CaseFolded("100-continue")
    static let webSocketProtocol = CaseFolded("websocket")
}
