// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// One non-blocking stream of bytes, plain or TLS, on one loop: a socket, or a child's pipe.
///
/// It never waits. `read` and `write` try, and say when the kernel has nothing or takes nothing; the owner then parks,
/// and the channel unparks it at the next event. Readiness is latched, so that an edge that came while nobody waited is
/// not lost, and no call is made that is known to return EAGAIN.
///
/// Memory follows the bytes: reading takes a block for the buffer when there may be bytes, and gives it back when there
/// are none; writing gives it back when all has gone.
@safe
final class Channel: EventTarget {
    /// Who is woken at events. A connection in a pool has nobody, and `whenIdle` instead.
    var parker: Parker?
    /// Called at an event while `parker` is nil.
    var whenIdle: (() -> Void)?

    let loop: EventLoop
    private var descriptor: Int32
    private var registration: RegistrationID?
    private var asksForWrites: Bool
    private var tls: TLSSession?
    /// Not a socket, as the first recv(2) found.
    private var isPipe = false
    /// TLS may want the other direction first: a handshake message, a key update.
    private var readWantsWrite = false
    private var writeWantsRead = false

    /// May a read find bytes? Starts true: the request is usually there before the first event.
    private(set) var isReadable = true
    private(set) var isWritable = true
    /// The peer will send no more, or the connection is broken (EPOLLRDHUP, EPOLLHUP, EPOLLERR).
    private(set) var isHungUp = false
    /// Of errno(3): how the connection was broken, as the kernel has told a write or a read ahead. It tells it once only, and
    /// to whoever reads next it looks like an end in order.
    private var failure: Int32 = 0
    /// See `post`.
    var posted = Posted()
    /// See `readsAhead`: what came before the owner's read, whether there is any, whether the owner waits for it, and
    /// whether more comes at once than is read ahead. Whether there is any could be asked of the bytes: 380 instructions a
    /// request, since the runtime checks each access to what is changed in place.
    var arrived = ByteBuffer()
    var hasArrived = false
    var awaitsArrival = false
    var isBulky = false

    enum ReadOutcome: Equatable {
        /// So many bytes were appended.
        case bytes(Int)
        /// Nothing there now.
        case blocked
        /// The peer ended its side in order.
        case ended
    }

    enum WriteOutcome: Equatable {
        /// The buffer is empty.
        case done
        /// The kernel takes no more now; so much of the buffer went.
        case blocked
    }

    /// Takes over a non-blocking descriptor.
    ///
    /// - Parameter awaitingWrites: hear of writability from the start (a connect(2) under way), not only after a write
    ///   that did not fit.
    init(
        adopting descriptor: consuming Descriptor, on loop: EventLoop, parker: Parker?, awaitingWrites: Bool = false
    ) throws(SystemError) {
        self.loop = loop
        self.parker = parker
        asksForWrites = awaitingWrites
        self.descriptor = descriptor.release()
        if awaitingWrites {
            isWritable = false
            isReadable = false
        }
        do {
            registration = try loop.register(self.descriptor, events: Self.events(awaitingWrites), target: self)
        } catch {
            Glibc.close(self.descriptor)
            self.descriptor = -1
            throw error
        }
    }

    deinit {
        // A registered channel is kept alive by its loop; only with the loop itself can an open one go.
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    private static func events(_ writes: Bool) -> UInt32 {
        EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue | (writes ? EPOLLOUT.rawValue : 0)
    }

    var isOpen: Bool { descriptor >= 0 }
    /// Nobody is at the other end any more, or there is none.
    var hasLeft: Bool { isHungUp || !isOpen }
    /// For getsockname(2), SO_PEERCRED and the like; −1 when closed.
    var rawDescriptor: Int32 { descriptor }

    func eventsArrived(_ events: UInt32) {
        if events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            isHungUp = true
            isReadable = true
            isWritable = true
        }
        if events & EPOLLIN.rawValue != 0 { isReadable = true }
        if events & EPOLLOUT.rawValue != 0 { isWritable = true }
        listIfPosted()
        if !readsAhead() { notify() }
    }

    func notify() {
        if let parker { parker.unpark() } else { whenIdle?() }
    }

    /// A write at the end of a turn has failed, with nobody there to be told.
    func broke() {
        isHungUp = true
        isReadable = true
        isWritable = true
        notify()
    }

    /// The connect(2) was done at once (a Unix socket); no event need be waited for.
    func connected() {
        isWritable = true
    }

    // MARK: TLS

    /// Puts TLS over the channel; `handshake` comes next. Bytes already buffered by the caller are not seen by it.
    func startTLS(_ session: TLSSession) {
        tls = session
    }

    var session: TLSSession? { tls }

    /// Goes on with the handshake. False: wait for the next event.
    func handshake() throws(IOFailure) -> Bool {
        guard let tls else { return true }
        let progress: TLSProgress
        do { progress = try tls.handshake() } catch { throw .tls(error) }
        switch progress {
        case .done: return true
        case .wantRead: isReadable = false
        case .wantWrite: try awaitWritability()
        }
        return false
    }

    // MARK: Reading

    /// Appends what has arrived to `buffer`, at most what its memory holds (a block, if it owned none), and what was read
    /// ahead, at most a small block.
    func read(into buffer: inout ByteBuffer) throws(IOFailure) -> ReadOutcome {
        awaitsArrival = false
        if hasArrived { return .bytes(takeArrived(into: &buffer)) }
        guard isReadable || readWantsWrite && isWritable else {
            loop.buffers.reclaim(&buffer)
            awaitArrival()
            return .blocked
        }
        // What came ahead is in a small block, too small for what follows it.
        if isBulky, buffer.isEmpty { loop.buffers.reclaim(&buffer) }
        loop.buffers.lend(to: &buffer)
        buffer.makeRoom()
        let outcome: ReadOutcome
        if let tls {
            outcome = try readTLS(tls, into: &buffer)
        } else {
            outcome = try readPlain(into: &buffer)
        }
        if buffer.isEmpty { loop.buffers.reclaim(&buffer) }
        return outcome
    }

    private func readPlain(into buffer: inout ByteBuffer) throws(IOFailure) -> ReadOutcome {
        let room = buffer.writableCount
        while true {
            // recv(2) where it can be: read(2) goes through the file system's layer, which costs a socket 2 % of a call.
            let count = unsafe buffer.fill { memory in
                unsafe isPipe
                    ? Glibc.read(descriptor, memory.baseAddress, memory.count)
                    : clinux_recv(descriptor, memory.baseAddress, memory.count)
            }
            if count > 0 {
                // A stream that gave less than was asked for is empty: epoll(7), question 9. Not so when the peer has
                // hung up: no further edge would tell of the end.
                if count < room, !isHungUp { isReadable = false }
                isBulky = count >= BufferPool.smallSize || count == room
                return .bytes(count)
            }
            if count == 0 { return try end() }
            if errno == EAGAIN {
                isReadable = false
                awaitArrival()
                return .blocked
            }
            if errno == ENOTSOCK, !isPipe {
                isPipe = true
            } else if errno != EINTR {
                throw .system(SystemError("read"))
            }
        }
    }

    /// Reads whole records for as long as they are full and the next has room: of a long content, all that has come goes on
    /// in one piece.
    private func readTLS(_ tls: TLSSession, into buffer: inout ByteBuffer) throws(IOFailure) -> ReadOutcome {
        readWantsWrite = false
        var total = 0
        while true {
            var result = TLSResult.wantRead
            do {
                _ = unsafe try buffer.fill { memory throws(TLSFailure) in
                    unsafe result = try tls.read(into: memory)
                    return if case .bytes(let count) = result { count } else { 0 }
                }
            } catch {
                // What came before it goes on first; the session tells of the failure again.
                if total > 0 { return .bytes(total) }
                throw .tls(error)
            }
            switch result {
            case .bytes(let count):
                total += count
                if count == Self.recordSize, buffer.writableCount >= Self.recordSize { continue }
                return .bytes(total)
            case .wantRead: isReadable = false
            case .wantWrite:
                readWantsWrite = true
                isReadable = false
                try awaitWritability()
            case .closed(let isClean):
                if total > 0 { return .bytes(total) }
                if isClean { return .ended }
                throw .truncated
            }
            return total > 0 ? .bytes(total) : .blocked
        }
    }

    /// The kernel has no more bytes, and will have none.
    func end() throws(IOFailure) -> ReadOutcome {
        guard failure == 0 else { throw .system(SystemError("read", code: failure)) }
        return .ended
    }

    /// A call that was no read of the owner's has failed with `code`.
    func noteFailure(_ code: Int32) {
        switch code {
        case ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: failure = code
        default: break
        }
    }

    /// The kernel has nothing more: not to be asked before the next event.
    func foundEmpty() {
        isReadable = false
    }

    /// Bytes of content in a full TLS record (RFC 8446 §5.1).
    private static let recordSize = 1 << 14

    // MARK: Writing

    /// Writes as much of `buffer` as the kernel takes.
    ///
    /// - Parameter wiping: overwrite what has gone, because it carried a secret.
    func write(from buffer: inout ByteBuffer, wiping: Bool = false) throws(IOFailure) -> WriteOutcome {
        guard try flush() else { return .blocked }
        return try write(out: &buffer, wiping: wiping) ? .done : .blocked
    }

    /// - Returns: whether all has gone.
    func write(out buffer: inout ByteBuffer, wiping: Bool) throws(IOFailure) -> Bool {
        while !buffer.isEmpty {
            guard isWritable || writeWantsRead && isReadable else { return false }
            let count = try writeOnce(buffer.readable)
            guard count > 0 else { return false }
            if wiping { buffer.consumeWiping(count) } else { buffer.consume(count) }
        }
        loop.buffers.reclaim(&buffer)
        return true
    }

    /// One write(2) or SSL_write(3); 0 if it is blocked.
    private func writeOnce(_ bytes: Span<UInt8>) throws(IOFailure) -> Int {
        if let tls {
            writeWantsRead = false
            let result: TLSResult
            do {
                result = try unsafe bytes.withUnsafeBytes { memory throws(TLSFailure) in
                    unsafe try tls.write(memory)
                }
            } catch { throw .tls(error) }
            switch result {
            case .bytes(let count): return count
            case .wantRead:
                writeWantsRead = true
                isReadable = false
                isWritable = false
            case .wantWrite: try awaitWritability()
            case .closed: throw .system(SystemError("write", code: EPIPE))
            }
            return 0
        }
        while true {
            let count = unsafe bytes.withUnsafeBytes { memory in
                // send(2) and not write(2): a peer that is gone is an error, not a signal. Pipes know no send.
                unsafe clinux_send(descriptor, memory.baseAddress, memory.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                if count < bytes.count { try awaitWritability() }
                return count
            }
            if errno == EAGAIN {
                try awaitWritability()
                return 0
            }
            if errno != EINTR { throw writeFailure() }
        }
    }

    @inline(never)
    private func writeFailure() -> IOFailure {
        let error = SystemError("write")
        noteFailure(error.code)
        return .system(error)
    }

    /// The kernel's buffer is full: hear when it is not. Asked for at the first need, since most connections never do.
    func awaitWritability() throws(IOFailure) {
        isWritable = false
        guard !asksForWrites, let registration else { return }
        do { try loop.modify(registration, descriptor: descriptor, events: Self.events(true)) } catch {
            throw .system(error)
        }
        asksForWrites = true
    }

    // MARK: Ending

    /// Tells the peer that no more will come; reading goes on. For a tunnel whose other side has ended.
    func shutdownWriting() {
        guard isOpen else { return }
        _ = try? flush()
        tls?.shutdown()
        Glibc.shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Ends the connection in order, with what was posted as far as the kernel takes it now. Idempotent.
    func close() {
        guard isOpen else { return }
        _ = try? flush()
        tls?.shutdown()
        release()
    }

    /// Ends the connection so that the peer sees an error: RST on TCP, and no close_notify under TLS. An answer that
    /// was cut must never look complete (PEERS: OpenShell#829).
    func abort() {
        guard isOpen else { return }
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        release()
    }

    private func release() {
        forgetPosted()
        forgetArrived()
        if let registration { loop.deregister(registration) }
        registration = nil
        // The session goes first: it knows the descriptor's number.
        tls = nil
        Glibc.close(descriptor)
        descriptor = -1
        // Whoever still means to read or write learns at once that it cannot (EBADF), and does not wait for an event.
        isReadable = true
        isWritable = true
        parker = nil
        whenIdle = nil
    }
}

extension ByteBuffer {
    /// Moves the readable bytes to the front when nothing fits behind them, so that a read has room.
    mutating func makeRoom() {
        if writableCount == 0 { reserve(max(1, capacity - count)) }
    }
}
