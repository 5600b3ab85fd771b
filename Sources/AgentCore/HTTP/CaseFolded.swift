// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A name or token of up to 24 bytes as three words, letters in lower case: equal when HTTP calls the two equal.
///
/// Exact for names of letters, digits and hyphens, whatever stands on the other side: only bytes with bit 6 set gain
/// bit 5, so no control byte turns into a hyphen or a digit.
struct CaseFolded: Sendable, Hashable {
    let first: UInt64
    let second: UInt64
    let third: UInt64
    let count: UInt8

    static let longest = 24

    /// Folds `bytes[from ..< end]`; nil when it is longer than `longest` or empty.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, from: Int, to end: Int) {
        let count = end - from
        guard count > 0, count <= Self.longest else { return nil }
        self.count = UInt8(truncatingIfNeeded: count)
        first = Self.word(bytes, at: from, of: count)
        second = count > 8 ? Self.word(bytes, at: from + 8, of: count - 8) : 0
        third = count > 16 ? Self.word(bytes, at: from + 16, of: count - 16) : 0
    }

    @inline(__always)
    init?(_ bytes: Span<UInt8>, _ range: ByteRange) {
        self.init(bytes, from: range.lower, to: range.upper)
    }

    /// Folds what stands between `start` and the first colon, and finds that by the same words. Nil if it is not found in
    /// as many bytes as a name may have, in whole words.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, upToColonFrom start: Int) {
        var words: (UInt64, UInt64) = (0, 0)
        var offset = start
        while true {
            guard offset <= bytes.count - 8 else { return nil }
            let word = bytes.word(at: offset)
            let other = word ^ 0x3A3A_3A3A_3A3A_3A3A
            let marks = (other &- 0x0101_0101_0101_0101) & ~other & 0x8080_8080_8080_8080
            if marks != 0 {
                // From 0 to 56 bits stand before the colon.
                let bits = UInt64(marks.trailingZeroBitCount & 0x38)
                let last = Self.folded(word & ~(UInt64.max &<< bits))
                let count = offset - start + Int(bits &>> 3)
                guard count > 0 else { return nil }
                self.count = UInt8(truncatingIfNeeded: count)
                switch offset - start {
                case 0: (first, second, third) = (last, 0, 0)
                case 8: (first, second, third) = (words.0, last, 0)
                default: (first, second, third) = (words.0, words.1, last)
                }
                return
            }
            switch offset - start {
            case 0: words.0 = Self.folded(word)
            case 8: words.1 = Self.folded(word)
            default: return nil
            }
            offset += 8
        }
    }

    /// For names in the program's text: at most `longest` ASCII letters, digits and hyphens.
    init(_ name: String) {
        let bytes = Array(name.utf8)
        guard let folded = CaseFolded(bytes.span, from: 0, to: bytes.count) else {
            preconditionFailure("a name of 1 to 24 bytes")
        }
        self = folded
    }

    /// The first `count` bytes (at most 8) at `offset`, folded, in the low end of a word.
    @inline(__always)
    private static func word(_ bytes: Span<UInt8>, at offset: Int, of count: Int) -> UInt64 {
        var word: UInt64 = 0
        if offset <= bytes.count - 8 {
            word = bytes.word(at: offset)
            if count < 8 { word &= ~(UInt64.max &<< UInt64(count * 8)) }
        } else {
            for index in 0..<min(count, 8) { word |= UInt64(bytes[offset + index]) &<< UInt64(index * 8) }
        }
        return folded(word)
    }

    @inline(__always)
    private static func folded(_ word: UInt64) -> UInt64 { word | (word & 0x4040_4040_4040_4040) &>> 1 }

    /// Whether it consists of letters, digits and hyphens: then it is a token, without a look at every byte.
    @inline(__always)
    var isPlain: Bool {
        Self.isPlain(first, count) && Self.isPlain(second, count &- min(count, 8))
            && Self.isPlain(third, count &- min(count, 16))
    }

    /// Of the low `count` bytes of a folded word.
    @inline(__always)
    private static func isPlain(_ word: UInt64, _ count: UInt8) -> Bool {
        let high: UInt64 = 0x8080_8080_8080_8080
        let wanted = count >= 8 ? high : high & ~(UInt64.max &<< UInt64(count &* 8))
        let low = word & ~high
        let marks =
            low.marks(from: 0x61, through: 0x7A) | low.marks(from: 0x30, through: 0x39)
            | low.marks(from: 0x2D, through: 0x2D)
        return marks & ~word & wanted == wanted
    }

    /// Where the name stands in a table of 256: any function that spreads the known names will do.
    @inline(__always)
    var slot: Int {
        let mixed = (first ^ (second &* 0x9E37_79B9_7F4A_7C15) ^ third &+ UInt64(count)) &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: mixed &>> 56)
    }
}

extension Span where Element == UInt8 {
    /// Whether `range` is `name` in any mixture of cases.
    func isName(_ range: ByteRange, _ name: CaseFolded) -> Bool {
        range.count == Int(name.count) && CaseFolded(self, range) == name
    }
}
