// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

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
