// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Bytes that go from one socket to another without being seen: splice(2), through a pipe.
///
/// The rules are those of `read` and `write`, but for one: a short splice does not say that the socket is empty, or full.
/// A pipe has places for pieces, not for bytes, and a socket hands over the pieces as they came. Only EAGAIN says it, and
/// since a pipe is empty when it is filled and holds what is taken out, EAGAIN is always the socket's.
///
/// No SPLICE_F_MORE: it holds the last segment of a piece back for up to 200 ms, in the hope of more.
extension Channel {
    /// There is no TLS on it, whose bytes the kernel does not know.
    var isPlain: Bool { session == nil }

    /// Moves what has arrived into the empty `pipe`.
    ///
    /// - Parameter limit: bytes, at least one: more may be another message's.
    /// - Returns: nil if the kernel refuses to; nothing has moved.
    func splice(into pipe: inout SplicePipe, atMost limit: Int) throws(IOFailure) -> ReadOutcome? {
        awaitsArrival = false
        if hasArrived { return .bytes(try giveArrived(to: &pipe, atMost: limit)) }
        guard isReadable else { return .blocked }
        while true {
            let count = Self.splice(rawDescriptor, pipe.writeEnd.raw, min(limit, pipe.capacity))
            if count > 0 {
                pipe.filled(count)
                return .bytes(count)
            }
            if count == 0 { return try end() }
            let code = errno
            if code == EAGAIN {
                foundEmpty()
                return .blocked
            }
            if SplicePool.isRefusal(code) { return nil }
            if code != EINTR { throw .system(SystemError("splice", code: code)) }
        }
    }

    /// What was read ahead goes first; it is little and fits into the empty pipe.
    private func giveArrived(to pipe: inout SplicePipe, atMost limit: Int) throws(IOFailure) -> Int {
        var bytes = ByteBuffer()
        _ = takeArrived(into: &bytes)
        defer { giveBack(&bytes) }
        do throws(SystemError) {
            return try pipe.put(from: &bytes, atMost: limit)
        } catch {
            throw .system(error)
        }
    }

    /// Moves out what is in `pipe`, as much of it as the kernel takes now, behind what was posted.
    ///
    /// - Returns: `.done` if it is empty; nil if the kernel refuses to, with the rest still in the pipe.
    func splice(from pipe: inout SplicePipe) throws(IOFailure) -> WriteOutcome? {
        guard try flush() else { return .blocked }
        while !pipe.isEmpty {
            guard isWritable else { return .blocked }
            let count = Self.splice(pipe.readEnd.raw, rawDescriptor, pipe.count)
            if count > 0 {
                pipe.emptied(count)
                continue
            }
            let code = count == 0 ? EIO : errno
            if code == EAGAIN {
                try awaitWritability()
            } else if SplicePool.isRefusal(code) {
                return nil
            } else if code != EINTR {
                noteFailure(code)
                throw .system(SystemError("splice", code: code))
            }
        }
        return .done
    }

    private static func splice(_ source: Int32, _ target: Int32, _ count: Int) -> Int {
        CLinux.splice(
            source, nil, target, nil, UInt(count), UInt32(CLINUX_SPLICE_F_MOVE | CLINUX_SPLICE_F_NONBLOCK))
    }
}
