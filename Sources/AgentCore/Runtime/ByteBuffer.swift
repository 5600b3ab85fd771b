// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// A growable run of bytes with a read end and a write end: `[ consumed | readable | writable ]`.
///
/// The one buffer of the agent: sockets read into it, parsers look at its `readable` span in place, writers append
/// to it and sockets write it out. It owns its memory and cannot be copied, so a byte of one exchange can only reach
/// another if somebody hands the buffer over on purpose.
///
/// A buffer of capacity 0 owns nothing; that is how a silent connection keeps no memory (see `BufferPool`).
@safe
struct ByteBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    /// Bytes of memory owned.
    private(set) var capacity: Int
    private var head = 0
    private var tail = 0

    /// - Parameter capacity: bytes to own at once; 0 owns nothing until the first append.
    init(capacity: Int = 0) {
        unsafe base = capacity > 0 ? malloc(capacity)! : nil
        self.capacity = capacity
    }

    /// Takes over `base`, memory of malloc(3).
    @unsafe
    init(owning base: UnsafeMutableRawPointer, capacity: Int) {
        unsafe self.base = base
        self.capacity = capacity
    }

    /// Ends the buffer and hands its memory over, if it has any; the new owner frees it.
    @unsafe
    consuming func releaseMemory() -> (base: UnsafeMutableRawPointer, capacity: Int)? {
        let (base, capacity) = unsafe (base, capacity)
        discard self
        return unsafe base.map { unsafe ($0, capacity) }
    }

    deinit {
        if let base = unsafe base { unsafe free(base) }
    }

    /// Bytes that have been written and not yet consumed.
    var count: Int { tail - head }
    var isEmpty: Bool { tail == head }
    /// Bytes that fit behind the readable ones without moving or growing.
    var writableCount: Int { capacity - tail }

    /// The readable bytes, in place. Valid until the next mutation; the compiler enforces it.
    var readable: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(
                _unsafeStart: (base ?? Self.nowhere).advanced(by: head).assumingMemoryBound(to: UInt8.self),
                count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    // One byte that nobody reads or writes: an empty span needs an address, and this one never changes.
    private nonisolated(unsafe) static let nowhere = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 16)

    subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count, "offset outside the readable bytes")
        return unsafe base!.load(fromByteOffset: head + offset, as: UInt8.self)
    }

    // MARK: Appending

    mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base!.storeBytes(of: byte, toByteOffset: tail, as: UInt8.self)
        tail += 1
    }

    mutating func append(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        reserve(bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            unsafe _ = memcpy(base! + tail, source.baseAddress!, source.count)
        }
        tail += bytes.count
    }

    mutating func append(_ other: borrowing ByteBuffer) {
        append(other.readable)
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        unsafe memcpy(base! + tail, text.utf8Start, text.utf8CodeUnitCount)
        tail += text.utf8CodeUnitCount
    }

    /// Disfavoured, so that a literal takes the way of `StaticString`, which copies and does nothing else.
    @_disfavoredOverload
    mutating func append(_ text: String) {
        append(text.utf8.span)
    }

    mutating func append(_ bytes: [UInt8]) {
        append(bytes.span)
    }

    /// Appends a number in decimal digits.
    mutating func append(decimal number: UInt64) {
        if number < 10 { return append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number)) }
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20, number >= bound {
            digits += 1
            bound = bound &* 10
        }
        append(decimal: number, digits: digits)
    }

    /// Appends the last `digits` (at most 20) decimal digits of a number, with zeros before it if it has fewer.
    mutating func append(decimal number: UInt64, digits: Int) {
        precondition(digits >= 0 && digits <= 20, "a number of 64 bits has at most 20 digits")
        reserve(digits)
        var rest = number
        var place = tail + digits
        // Two at a time: a division by a hundred costs no more than one by ten.
        while place > tail + 1 {
            place -= 2
            let pair = UInt16(truncatingIfNeeded: rest % 100)
            rest /= 100
            let digits = UInt16(0x3030) &+ pair / 10 &+ (pair % 10) &<< 8
            unsafe base!.storeBytes(of: digits.littleEndian, toByteOffset: place, as: UInt16.self)
        }
        if place > tail {
            unsafe base!.storeBytes(of: UInt8(0x30 &+ rest % 10), toByteOffset: tail, as: UInt8.self)
        }
        tail += digits
    }

    /// Appends a number in lower-case hexadecimal digits, as chunk sizes are written.
    mutating func append(hexadecimal number: UInt64) {
        let digits = max(1, (UInt64.bitWidth - number.leadingZeroBitCount + 3) / 4)
        reserve(digits)
        for place in 0..<digits {
            let nibble = UInt8((number >> UInt64((digits - 1 - place) * 4)) & 15)
            let digit = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
            unsafe base!.storeBytes(of: digit, toByteOffset: tail + place, as: UInt8.self)
        }
        tail += digits
    }

    /// Appends a number as 16 lower-case hexadecimal digits.
    mutating func append(hexadecimalWord number: UInt64) {
        reserve(16)
        unsafe base!.storeBytes(
            of: UInt32(truncatingIfNeeded: number &>> 32).hexadecimalDigits, toByteOffset: tail, as: UInt64.self)
        unsafe base!.storeBytes(
            of: UInt32(truncatingIfNeeded: number).hexadecimalDigits, toByteOffset: tail + 8, as: UInt64.self)
        tail += 16
    }

    // MARK: Consuming

    /// Takes `count` bytes off the read end.
    mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more consumed than is readable")
        head += count
        if head == tail {
            head = 0
            tail = 0
        }
    }

    /// Takes `count` bytes off the read end and overwrites them: for bytes that carried a secret.
    mutating func consumeWiping(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more consumed than is readable")
        if let base = unsafe base, count > 0 { unsafe explicit_bzero(base + head, count) }
        consume(count)
    }

    /// Forgets the readable bytes beyond the first `count`.
    mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "truncated to more than is readable")
        tail = head + count
    }

    mutating func clear() {
        head = 0
        tail = 0
    }

    /// Forgets everything and overwrites all memory owned: also what was consumed, and what was moved from.
    mutating func wipe() {
        if let base = unsafe base { unsafe explicit_bzero(base, capacity) }
        clear()
    }

    // MARK: Memory

    /// Makes room for `count` more bytes: by moving the readable ones to the front, else by growing to the next power
    /// of two.
    @inline(__always)
    mutating func reserve(_ count: Int) {
        if capacity - tail < count { makeRoom(for: count) }
    }

    @inline(never)
    private mutating func makeRoom(for count: Int) {
        let readable = self.count
        if capacity - readable >= count, let base = unsafe base {
            unsafe memmove(base, base + head, readable)
        } else {
            let wanted = max(256, (readable + count).nextPowerOfTwo)
            let grown = unsafe malloc(wanted)!
            if let base = unsafe base {
                unsafe memcpy(grown, base + head, readable)
                // It may hold a secret that has not gone yet: `consumeWiping` would not find this copy.
                unsafe explicit_bzero(base, tail)
                unsafe free(base)
            }
            unsafe base = grown
            capacity = wanted
        }
        head = 0
        tail = readable
    }

    /// Lets a system call fill the writable end; `body` returns how many bytes it wrote (0 or fewer: none).
    ///
    /// `Runtime/` only: this is the door through which `read(2)` and `SSL_read(3)` come in.
    @unsafe
    @discardableResult
    mutating func fill<Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        guard let base = unsafe base else { return 0 }
        let count = unsafe try body(UnsafeMutableRawBufferPointer(start: base + tail, count: capacity - tail))
        if count > 0 {
            precondition(count <= capacity - tail)
            tail += count
        }
        return count
    }

    /// The writable end for a system call that comes later; `fill` then tells what it wrote. `Runtime/` only.
    @unsafe
    mutating func withWritable(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        guard let base = unsafe base else { return }
        unsafe body(UnsafeMutableRawBufferPointer(start: base + tail, count: capacity - tail))
    }
}

extension UInt32 {
    /// Its eight digits, as they stand in memory: each nibble gets a byte of a word, all at once.
    fileprivate var hexadecimalDigits: UInt64 {
        var nibbles = UInt64(self)
        nibbles = (nibbles | nibbles &<< 16) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles | nibbles &<< 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles &<< 4) & 0x0F0F_0F0F_0F0F_0F0F
        // Ten and above carry into the fifth bit when six is added.
        let letters = ((nibbles &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return (nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).bigEndian
    }
}

extension Int {
    fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
