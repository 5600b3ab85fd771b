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
        return word | (word & 0x4040_4040_4040_4040) &>> 1
    }

    /// Whether it consists of letters, digits and hyphens: then it is a token, without a look at every byte.
    @inline(__always)
    var isPlain: Bool {
        Self.isPlain(first, count) && Self.isPlain(second, count &- min(count, 8))
            && Self.isPlain(third, count &- min(count, 16))
    }

    /// Of the low `count` bytes of a folded word. A byte below 128 is in `lower ... upper` when adding `128 - lower` sets
    /// its high bit and adding `127 - upper` does not; no sum reaches the byte above.
    @inline(__always)
    private static func isPlain(_ word: UInt64, _ count: UInt8) -> Bool {
        let high: UInt64 = 0x8080_8080_8080_8080
        let wanted = count >= 8 ? high : high & ~(UInt64.max &<< UInt64(count &* 8))
        let low = word & ~high
        let letters = (low &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(low &+ 0x0505_0505_0505_0505)
        let digits = (low &+ 0x5050_5050_5050_5050) & ~(low &+ 0x4646_4646_4646_4646)
        let hyphens = (low &+ 0x5353_5353_5353_5353) & ~(low &+ 0x5252_5252_5252_5252)
        return (letters | digits | hyphens) & ~word & wanted == wanted
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
