// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Writing at the end of a turn.
///
/// A write wakes whoever reads at the other end. With work in between every two writes each reader has long gone back to
/// sleep when the next comes for it; one after the other, the first wakes them all. So a loop first reads and works off
/// what a turn has brought, and then writes: with 64 busy connections that saves some percent of a call, all of them the
/// kernel's (HAProxy has the same order). A turn that has brought little writes at once: there nobody sleeps through a
/// wake-up, and an answer would only wait for the turn's other work, at half load for 10 to 15 µs.
extension Channel {
    /// Small output that waits for the end of the turn.
    struct Posted: ~Copyable {
        var bytes = ByteBuffer()
        var carriesSecret = false
        /// In the loop's list.
        var isListed = false
        /// The kernel took only a part: the owner hears when the rest has gone.
        var isStalled = false
    }

    var hasPosted: Bool { !posted.bytes.isEmpty }

    /// Takes what is in `buffer`, and writes it at the end of the loop's turn. What is more than a small block, and all in a
    /// turn that is not crowded, is written now, behind what was posted before. A failure at the end of the turn shows as
    /// that of a peer that has left.
    ///
    /// - Parameter wiping: overwrite what has gone, because it carried a secret.
    func post(_ buffer: inout ByteBuffer, wiping: Bool = false) throws(IOFailure) -> WriteOutcome {
        guard loop.isCrowded, isWritable, isOpen, buffer.count <= BufferPool.smallSize - posted.bytes.count else {
            return try write(from: &buffer, wiping: wiping)
        }
        if posted.bytes.capacity == 0, buffer.capacity == BufferPool.smallSize {
            swap(&buffer, &posted.bytes)
            posted.carriesSecret = wiping
        } else {
            append(posting: &buffer, wiping: wiping)
        }
        list()
        return .done
    }

    @inline(never)
    private func append(posting buffer: inout ByteBuffer, wiping: Bool) {
        // Out of the class while it is worked on: see `LoopCell`.
        var bytes = ByteBuffer()
        swap(&bytes, &posted.bytes)
        loop.buffers.lendSmall(to: &bytes)
        bytes.append(buffer.readable)
        swap(&bytes, &posted.bytes)
        if wiping {
            posted.carriesSecret = true
            buffer.consumeWiping(buffer.count)
        } else {
            buffer.clear()
        }
        loop.buffers.reclaim(&buffer)
    }

    /// Writes what was posted.
    ///
    /// - Returns: false if the kernel does not take all of it now.
    func flush() throws(IOFailure) -> Bool {
        guard hasPosted else { return true }
        var bytes = ByteBuffer()
        swap(&bytes, &posted.bytes)
        defer { swap(&bytes, &posted.bytes) }
        do throws(IOFailure) {
            posted.isStalled = try !write(out: &bytes, wiping: posted.carriesSecret)
        } catch {
            forget(&bytes)
            throw error
        }
        if posted.isStalled { return false }
        posted.carriesSecret = false
        return true
    }

    func submitPosted(to ring: inout SubmissionRing, place: Int) {
        guard isPlain, isWritable, isOpen, hasPosted else { return }
        var bytes = ByteBuffer()
        swap(&bytes, &posted.bytes)
        unsafe bytes.readable.withUnsafeBytes { unsafe ring.send(rawDescriptor, $0, place: place) }
        swap(&bytes, &posted.bytes)
    }

    /// The ring has written so much of what was posted, or failed with the negative of an error.
    func didWrite(_ count: Int) {
        if count < 0 { noteFailure(Int32(-count)) }
        guard count > 0 else { return }
        var bytes = ByteBuffer()
        swap(&bytes, &posted.bytes)
        if posted.carriesSecret { bytes.consumeWiping(count) } else { bytes.consume(count) }
        if bytes.isEmpty { posted.carriesSecret = false }
        loop.buffers.reclaim(&bytes)
        swap(&bytes, &posted.bytes)
    }

    /// The loop's turn is at its end.
    func turnEnds() {
        posted.isListed = false
        let wasStalled = posted.isStalled
        posted.isStalled = false
        do throws(IOFailure) {
            guard try flush(), wasStalled else { return }
            notify()
        } catch {
            // As if the peer had left: whoever reads next learns more.
            broke()
        }
    }

    /// There is room again, or TLS has what it waited for.
    func listIfPosted() {
        if hasPosted { list() }
    }

    private func list() {
        guard !posted.isListed else { return }
        posted.isListed = true
        loop.calls.willWrite(self)
    }

    /// Throws away what was posted: the connection ends without it.
    func forgetPosted() {
        guard hasPosted else { return }
        var bytes = ByteBuffer()
        swap(&bytes, &posted.bytes)
        forget(&bytes)
    }

    private func forget(_ bytes: inout ByteBuffer) {
        bytes.consumeWiping(bytes.count)
        loop.buffers.reclaim(&bytes)
        posted.carriesSecret = false
        posted.isStalled = false
    }
}
