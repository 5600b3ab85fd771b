// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A run of bytes inside a received head, as offsets from the first byte that was given to the parser.
///
/// It stays true when the buffer grows or moves, and costs half of a `Range<Int>`.
struct ByteRange: Sendable, Hashable {
    var start: Int32
    var end: Int32

    @inline(__always) static var none: ByteRange { ByteRange(start: 0, end: 0) }

    init(start: Int32, end: Int32) {
        self.start = start
        self.end = end
    }

    init(_ start: Int, _ end: Int) {
        // Heads are bounded far below 2 GiB (`HTTPLimits`).
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
    }

    var lower: Int { Int(start) }
    var upper: Int { Int(end) }
    var count: Int { upper - lower }
    var isEmpty: Bool { end <= start }
}

extension Span where Element == UInt8 {
    /// The bytes of `range`; none if it reaches outside the span.
    @_lifetime(copy self)
    func slice(_ range: ByteRange) -> Span<UInt8> {
        guard range.start >= 0, range.start <= range.end, range.upper <= count else { return extracting(0..<0) }
        return extracting(range.lower..<range.upper)
    }

    /// The bytes of `range` as text for people: what is not visible ASCII prints as `?`, cut at `limit` characters.
    func text(_ range: ByteRange, limit: Int = 256) -> String {
        let bytes = slice(range)
        var text = ""
        for index in 0..<Swift.min(bytes.count, limit) {
            let byte = bytes[index]
            text.unicodeScalars.append(0x20...0x7E ~= byte ? Unicode.Scalar(byte) : "?")
        }
        return bytes.count > limit ? text + "…" : text
    }

    /// Whether the two hold the same bytes.
    func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }
}
