// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What a field of a log line may hold. A secret is none of these.
enum LogValue: Sendable, Equatable {
    case text(String)
    case integer(Int64)
    case bool(Bool)
    /// Written as 16 digits, without a text being made of it first.
    case request(RequestID)
    /// Written in seconds, to the microsecond.
    case duration(Duration)
    /// The same, for a time that is at hand as a number.
    case nanoseconds(Int64)
    /// Written as a date, to the second.
    case time(HostTime)

    static func count(_ count: some BinaryInteger) -> LogValue { .integer(Int64(clamping: count)) }
}

extension LogValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    init(stringLiteral text: String) { self = .text(text) }
    init(integerLiteral integer: Int64) { self = .integer(integer) }
    init(booleanLiteral bool: Bool) { self = .bool(bool) }
}

extension ByteBuffer {
    /// Longest text that a field shows, in bytes; what is longer was made by somebody who wants to fill the log.
    static var logTextLimit: Int { 512 }

    /// The value as JSON writes it.
    mutating func append(json value: LogValue) {
        switch value {
        case .text(let text): append(jsonText: text)
        case .request(let request):
            append(UInt8(ascii: "\""))
            append(request)
            append(UInt8(ascii: "\""))
        case .integer(let integer): append(signedDecimal: integer)
        case .bool(let bool): append(bool ? "true" : "false")
        case .duration(let duration): append(seconds: duration.nanoseconds)
        case .nanoseconds(let nanoseconds): append(seconds: nanoseconds)
        case .time(let time):
            append(UInt8(ascii: "\""))
            append(timestamp: time.wall, fraction: false)
            append(UInt8(ascii: "\""))
        }
    }

    /// The value as it stands behind a `key=`: text in quotes only if it would not be one plain word.
    mutating func append(plain value: LogValue) {
        switch value {
        case .text(let text): append(plainText: text)
        case .request(let request): append(request)
        case .time(let time): append(timestamp: time.wall, fraction: false)
        case .duration(let duration): append(plain: .nanoseconds(duration.nanoseconds))
        case .nanoseconds(let nanoseconds):
            append(seconds: nanoseconds)
            append(UInt8(ascii: "s"))
        case .integer, .bool: append(json: value)
        }
    }

    mutating func append(jsonText text: String) {
        append(UInt8(ascii: "\""))
        append(logText: text.utf8.span)
        append(UInt8(ascii: "\""))
    }

    mutating func append(plainText text: String) {
        let bytes = text.utf8.span
        // Most are: names and numbers of the agent's own, copied as they are.
        if bytes.isPlainWord { return append(bytes) }
        let needsQuotes = bytes.isEmpty || bytes.containsSeparator
        if needsQuotes { append(UInt8(ascii: "\"")) }
        append(logText: bytes)
        if needsQuotes { append(UInt8(ascii: "\"")) }
    }

    /// Escaped, and cut at a limit: no line end, no terminal sequence comes through.
    private mutating func append(logText bytes: Span<UInt8>) {
        let limit = Self.logTextLimit
        if bytes.count <= limit { return appendVisible(bytes) }
        var end = limit
        // Not inside a scalar: a byte 10xxxxxx continues one.
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        appendVisible(bytes.extracting(0..<end))
        append("…")
    }

    /// The C1 controls (U+0080 to U+009F), which some terminals obey, are left out; all else as JSON escapes it.
    private mutating func appendVisible(_ bytes: Span<UInt8>) {
        var start = 0
        var index = 0
        while index + 1 < bytes.count {
            if bytes[index] == 0xC2, bytes[index + 1] < 0xA0 {
                append(jsonEscaped: bytes.extracting(start..<index))
                append(UInt8(ascii: "?"))
                index += 2
                start = index
            } else {
                index += 1
            }
        }
        append(jsonEscaped: bytes.extracting(start..<bytes.count))
    }
}

extension Span where Element == UInt8 {
    /// Visible ASCII that needs neither quotes nor escapes, and is not too long to show.
    fileprivate var isPlainWord: Bool {
        guard !isEmpty, count <= ByteBuffer.logTextLimit else { return false }
        for index in indices {
            let byte = self[index]
            guard byte < 0x7F, !Self.isSeparator(byte) else { return false }
        }
        return true
    }

    /// Holds a byte that ends a word or begins something else.
    fileprivate var containsSeparator: Bool {
        for index in indices where Self.isSeparator(self[index]) { return true }
        return false
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == 0x22 || byte == 0x3D || byte == 0x5C || byte == 0x7F
    }
}
