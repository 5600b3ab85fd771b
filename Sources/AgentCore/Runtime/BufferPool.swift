// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// Blocks of one size for the buffers of a loop, kept for the next connection that has something to say.
///
/// A stream that is silent holds no block: `Channel` takes one when bytes arrive and gives it back when they have gone
/// on. Loop-confined, hence no lock.
@safe
final class BufferPool {
    /// Bytes in a block: a full TLS record (RFC 8446 §5.1) and its head fit.
    static let blockSize = 32 * 1024
    /// Blocks kept at most; more are freed, so that a burst does not stay resident (8 MiB a loop).
    static let limit = 256

    // A list through the blocks themselves: the first bytes of each hold the address of the next.
    private var first: UnsafeMutableRawPointer?
    private var count = 0

    deinit {
        while let block = unsafe take() { unsafe free(block) }
    }

    private func take() -> UnsafeMutableRawPointer? {
        guard let block = unsafe first else { return nil }
        unsafe first = block.load(as: UnsafeMutableRawPointer?.self)
        count -= 1
        return unsafe block
    }

    /// Gives `buffer` a block if it owns no memory.
    func lend(to buffer: inout ByteBuffer) {
        guard buffer.capacity == 0 else { return }
        let block = unsafe (take() ?? malloc(Self.blockSize)!)
        unsafe buffer.adopt(block, capacity: Self.blockSize)
    }

    /// Takes the memory of an empty `buffer` back; one that grew beyond a block is freed.
    func reclaim(_ buffer: inout ByteBuffer) {
        guard buffer.isEmpty, let (block, capacity) = unsafe buffer.disown() else { return }
        if capacity == Self.blockSize, count < Self.limit {
            unsafe block.storeBytes(of: first, as: UnsafeMutableRawPointer?.self)
            unsafe first = block
            count += 1
        } else {
            unsafe free(block)
        }
    }
}

extension ByteBuffer {
    /// Takes over `block`, which malloc(3) returned. The buffer must own nothing.
    @unsafe
    fileprivate mutating func adopt(_ block: UnsafeMutableRawPointer, capacity: Int) {
        self = unsafe ByteBuffer(owning: block, capacity: capacity)
    }

    /// Gives its memory away and owns nothing any more.
    @unsafe
    fileprivate mutating func disown() -> (UnsafeMutableRawPointer, Int)? {
        var taken = ByteBuffer()
        swap(&self, &taken)
        return unsafe taken.releaseMemory()
    }
}
