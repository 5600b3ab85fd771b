// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Scans over received bytes, eight at a time: a set high bit in the result marks a byte that was looked for. Only the
/// lowest mark is exact (a borrow can reach the bytes above it), and only the lowest one is used.
extension Span where Element == UInt8 {
    /// The first byte from `from` on that may not stand in a field value (`isFieldContent`), else `count`.
    @inline(__always)
    func endOfFieldContent(from: Int) -> Int {
        let end = count
        var index = from
        while index <= end - 8 {
            let word = word(at: index)
            let control = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
            let marks = (control | ((delete &- 0x0101_0101_0101_0101) & ~delete)) & 0x8080_8080_8080_8080
            if marks == 0 {
                index += 8
                continue
            }
            index += marks.trailingZeroBitCount &>> 3
            guard self[index] == .tab else { return index }
            index += 1
        }
        while index < end, self[index].isFieldContent { index += 1 }
        return index
    }

    /// The first byte of `from ..< end` that is not in `members`, else `end`.
    @inline(__always)
    func end(of members: ByteClass, from: Int, to end: Int) -> Int {
        var index = from
        while index < end, members.contains(self[index]) { index += 1 }
        return index
    }

    /// `from ..< end` without the spaces and tabs around it.
    func trimmed(from: Int, to end: Int) -> ByteRange {
        var (lower, upper) = (from, end)
        while lower < upper, self[lower].isSpaceOrTab { lower += 1 }
        while upper > lower, self[upper - 1].isSpaceOrTab { upper -= 1 }
        return ByteRange(lower, upper)
    }

    /// The next element of a comma-separated list, without the whitespace around it; empty elements come out empty, to
    /// be skipped (RFC 9110 §5.6.1.2). Advances `position` past the comma; nil at the end.
    ///
    /// Knows no quoted strings: only for lists of tokens.
    func nextListElement(_ position: inout Int, to end: Int) -> ByteRange? {
        guard position < end else { return nil }
        var comma = position
        while comma < end, self[comma] != UInt8(ascii: ",") { comma += 1 }
        defer { position = comma + 1 }
        return trimmed(from: position, to: comma)
    }
}
