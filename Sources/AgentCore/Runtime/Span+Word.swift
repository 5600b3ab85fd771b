// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension UInt64 {
    /// The high bit of each of its eight bytes that lies in `lower ... upper`. All of them must be below 128: adding
    /// `128 - lower` sets the high bit of those from `lower` on, and adding `127 - upper` does not of those up to `upper`.
    @inline(__always)
    func marks(from lower: UInt8, through upper: UInt8) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (from, through) = (ones &* UInt64(128 &- lower), ones &* UInt64(127 &- upper))
        return (self &+ from) & ~(self &+ through) & 0x8080_8080_8080_8080
    }
}

extension Span where Element == UInt8 {
    /// Eight bytes at once, the first of them in the lowest bits: for scans that look at a word at a time.
    ///
    /// - Precondition: `offset ..< offset + 8` lies within the span; checked.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count - 8, "word outside the span")
        return unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
