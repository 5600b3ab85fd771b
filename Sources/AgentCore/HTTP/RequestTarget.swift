// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The four forms of a request target (RFC 9112 §3.2).
enum TargetForm: UInt8, Sendable {
    /// A path and an optional query; the only form that is served.
    case origin
    /// A whole URL, as sent to a plain HTTP proxy.
    case absolute
    /// Host and port, as sent with CONNECT.
    case authority
    /// `*`, as sent with OPTIONS.
    case asterisk
}

/// Checks of the parts of a target and of `Host`.
enum RequestTarget {
    /// Refuses a path that two readers could take for two different ones.
    ///
    /// A route is chosen by the path as it was written, and the credential goes with the route. So nothing may be left
    /// for the upstream to resolve: no `.` or `..` segment, plain or percent-encoded, also none that appears when an
    /// encoded slash or backslash is taken for a separator; no encoded control byte; no `//` at the start, which
    /// reads as an authority (RFC 3986 §4.2). An encoded slash by itself is passed on: names of models and projects
    /// hold it. Nothing is decoded twice: `%252e` is the text `%2e`.
    ///
    /// - Parameter range: begins with `/` and holds only bytes of `ByteClass.path`.
    static func checkPath(_ bytes: Span<UInt8>, _ range: ByteRange) throws(HTTPError) {
        let (start, end) = (range.lower, range.upper)
        if start + 1 < end, bytes[start + 1] == UInt8(ascii: "/") { throw HTTPError(.doubleSlash, at: start) }
        // Of the segment in hand: how many bytes it has, and whether all of them are dots.
        var length = 0
        var dotsOnly = true
        var index = start + 1
        while index < end {
            var byte = bytes[index]
            let position = index
            index += 1
            if byte == UInt8(ascii: "%") {
                guard index + 1 < end, let high = bytes[index].hexadecimalValue,
                    let low = bytes[index + 1].hexadecimalValue
                else { throw HTTPError(.percentTriplet, at: position) }
                byte = high &<< 4 | low
                index += 2
                if byte < 0x20 || byte == 0x7F { throw HTTPError(.encodedControl, at: position, byte: byte) }
            }
            if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") {
                if dotsOnly, length == 1 || length == 2 { throw HTTPError(.dotSegment, at: position - 1) }
                length = 0
                dotsOnly = true
            } else {
                length += 1
                if byte != UInt8(ascii: ".") { dotsOnly = false }
            }
        }
        if dotsOnly, length == 1 || length == 2 { throw HTTPError(.dotSegment, at: end - 1) }
    }

    /// `uri-host [ ":" port ]`, not empty, without user information (RFC 9110 §7.2, RFC 3986 §3.2).
    static func checkAuthority(
        _ bytes: Span<UInt8>, _ range: ByteRange, needsPort: Bool = false
    ) throws(HTTPError) {
        let (start, end) = (range.lower, range.upper)
        guard start < end else { throw HTTPError(.host, at: start) }
        var index: Int
        if bytes[start] == UInt8(ascii: "[") {
            index = bytes.end(of: .addressLiteral, from: start + 1, to: end)
            guard index > start + 2, index < end, bytes[index] == UInt8(ascii: "]") else {
                throw HTTPError(.host, at: min(index, end - 1))
            }
            index += 1
        } else {
            index = bytes.end(of: .hostName, from: start, to: end)
            guard index > start else { throw HTTPError(.host, at: start, byte: bytes[start]) }
        }
        if index == end {
            if needsPort { throw HTTPError(.host, at: end) }
            return
        }
        guard bytes[index] == UInt8(ascii: ":") else { throw HTTPError(.host, at: index, byte: bytes[index]) }
        var port = 0
        let digits = index + 1
        guard digits < end, end - digits <= 5 else { throw HTTPError(.host, at: index) }
        for place in digits..<end {
            guard bytes[place].isDigit else { throw HTTPError(.host, at: place, byte: bytes[place]) }
            port = port * 10 + Int(bytes[place] &- 0x30)
        }
        guard port <= 65535 else { throw HTTPError(.host, at: digits) }
    }
}
