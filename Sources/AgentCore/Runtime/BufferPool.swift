// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// Blocks for the buffers of a loop, kept for the next connection that has something to say: large ones for what comes
/// in and goes out, small ones for what is kept of a request while its answer is waited for.
///
/// A stream that is silent holds no block: `Channel` takes one when bytes arrive and gives it back when they have gone
/// on. Loop-confined, hence no lock; part of its loop and no object, hence no reference to be counted at each use.
struct BufferPool: ~Copyable {
    /// Bytes in a block: a full TLS record (RFC 8446 §5.1) and its head fit.
    static let blockSize = 32 * 1024
    /// Bytes in a small block: the head of nearly every request fits.
    static let smallSize = 2 * 1024
    /// Bytes at once of a large content that comes by TLS; allocated as it is needed, and not kept.
    static let bulkSize = 64 * 1024

    // More are freed, so that a burst does not stay resident (8 and 1 MiB a loop).
    private let blocks = FreeList(size: BufferPool.blockSize, limit: 256)
    private let smalls = FreeList(size: BufferPool.smallSize, limit: 512)

    /// Frees what is kept: a burst is over.
    func releaseAll() {
        blocks.releaseAll()
        smalls.releaseAll()
    }

    /// Gives `buffer` a block if it owns no memory.
    func lend(to buffer: inout ByteBuffer) {
        guard buffer.capacity == 0 else { return }
        unsafe buffer.adopt(blocks.take(), capacity: Self.blockSize)
    }

    /// The same with a small block.
    func lendSmall(to buffer: inout ByteBuffer) {
        guard buffer.capacity == 0 else { return }
        unsafe buffer.adopt(smalls.take(), capacity: Self.smallSize)
    }

    /// The same with a small block if `count` bytes fit, else with a large one. A channel takes the former as it is, for the
    /// end of the turn (`Channel.post`).
    func lend(to buffer: inout ByteBuffer, for count: Int) {
        if count <= Self.smallSize { lendSmall(to: &buffer) } else { lend(to: &buffer) }
    }

    /// Takes the memory of an empty `buffer` back; one that grew beyond a block is freed.
    func reclaim(_ buffer: inout ByteBuffer) {
        guard buffer.isEmpty, let (block, capacity) = unsafe buffer.disown() else { return }
        switch capacity {
        case Self.blockSize: unsafe blocks.put(block)
        case Self.smallSize: unsafe smalls.put(block)
        default: unsafe free(block)
        }
    }
}

/// Blocks of malloc(3) of one size; a list through the blocks themselves, the first bytes of each hold the address of the
/// next.
@safe
private struct FreeList: ~Copyable {
    private let size: Int
    private let limit: Int
    private let kept = LoopCell(Kept())

    @safe
    private struct Kept {
        var first: UnsafeMutableRawPointer?
        var count = 0
    }

    init(size: Int, limit: Int) {
        self.size = size
        self.limit = limit
    }

    deinit {
        releaseAll()
    }

    func releaseAll() {
        while kept.with({ $0.count }) > 0 { unsafe free(take()) }
    }

    @unsafe
    func take() -> UnsafeMutableRawPointer {
        unsafe kept.with { kept in
            guard let block = unsafe kept.first else { return unsafe malloc(size)! }
            unsafe kept.first = block.load(as: UnsafeMutableRawPointer?.self)
            kept.count -= 1
            return unsafe block
        }
    }

    @unsafe
    func put(_ block: UnsafeMutableRawPointer) {
        kept.with { kept in
            guard kept.count < limit else { return unsafe free(block) }
            unsafe block.storeBytes(of: kept.first, as: UnsafeMutableRawPointer?.self)
            unsafe kept.first = block
            kept.count += 1
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
