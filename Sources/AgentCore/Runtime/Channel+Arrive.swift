// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Reading ahead of the owner, in a crowded turn.
///
/// An owner that has found nothing waits for the next event and then reads. Where many wait, their reads are made at once
/// before any of them goes on: one system call instead of one each, and the kernel's code and the agent's each run in one
/// piece, and not in turns that put each other out of the processor's caches. An owner sees no difference: the next `read`
/// or `splice` gives what has arrived. What goes wrong is left to it as well: it asks the kernel itself.
extension Channel {
    /// The owner was told that there is nothing.
    ///
    /// Not read ahead are the bytes of TLS, of which only the session knows what to do with them; those that nobody waits
    /// for; and a large content, which goes in larger blocks or through a pipe.
    func awaitArrival() {
        awaitsArrival = isPlain && !isBulky
    }

    /// - Returns: whether the channel is read before its owner hears.
    func readsAhead() -> Bool {
        guard awaitsArrival, loop.readsAhead, isReadable, !isHungUp, parker != nil else { return false }
        awaitsArrival = false
        loop.calls.willRead(self)
        return true
    }

    func submitRead(to ring: inout SubmissionRing, place: Int) {
        guard isOpen else { return }
        var bytes = ByteBuffer()
        loop.buffers.lendSmall(to: &bytes)
        unsafe bytes.withWritable { unsafe ring.receive(rawDescriptor, $0, place: place) }
        swap(&bytes, &arrived)
    }

    /// - Parameter count: what recv(2) returned, or an error as a negative number; if there are no bytes, the owner asks.
    func didRead(_ count: Int) {
        if count > 0 {
            unsafe arrived.fill { _ in count }
            hasArrived = true
            if count < BufferPool.smallSize, !isHungUp { foundEmpty() }
        } else {
            if count < 0 { noteFailure(Int32(-count)) }
            loop.buffers.reclaim(&arrived)
        }
    }

    /// Gives what has arrived to the owner: in its own block, if `buffer` has none.
    func takeArrived(into buffer: inout ByteBuffer) -> Int {
        hasArrived = false
        isBulky = arrived.count == BufferPool.smallSize
        let count = arrived.count
        if buffer.capacity == 0 {
            swap(&buffer, &arrived)
        } else {
            buffer.append(arrived.readable)
            forgetArrived()
        }
        return count
    }

    /// Takes the rest back that was not wanted yet.
    func giveBack(_ rest: inout ByteBuffer) {
        hasArrived = !rest.isEmpty
        loop.buffers.reclaim(&rest)
        swap(&rest, &arrived)
    }

    /// Throws away what nobody has read; it may carry a caller's credential.
    func forgetArrived() {
        hasArrived = false
        arrived.consumeWiping(arrived.count)
        loop.buffers.reclaim(&arrived)
    }
}
