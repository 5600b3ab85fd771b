// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// A pipe by which the kernel hands content on from one socket to another, without copying it: splice(2).
///
/// Filled only when it is empty (see `Channel.splice`), and of one message at a time: one that is dropped with bytes in
/// it is closed with them.
struct SplicePipe: ~Copyable {
    /// Bytes that a pipe is made for; F_SETPIPE_SZ, which the kernel may refuse.
    static let size = 256 << 10
    /// Bytes below which it is of no use, since copying is faster. A user whose pipes hold more than fs.pipe-user-pages-soft
    /// gets such ones.
    static let leastSize = 64 << 10

    let readEnd: Descriptor
    let writeEnd: Descriptor
    /// Bytes that may be put in at once. Fewer fit when they come in small pieces: each takes a page.
    let capacity: Int
    /// Bytes in it.
    private(set) var count = 0
    private let tally: Tally

    /// How many pipes are open.
    final class Tally {
        fileprivate(set) var count = 0
    }

    init(countedBy tally: Tally) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe2(&ends, O_NONBLOCK | O_CLOEXEC) == 0 else { throw SystemError("pipe2") }
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
        let granted = fcntl(ends[1], Int32(CLINUX_F_SETPIPE_SZ), Int32(Self.size))
        capacity = Int(granted > 0 ? granted : fcntl(ends[1], Int32(CLINUX_F_GETPIPE_SZ), 0))
        self.tally = tally
        tally.count += 1
    }

    deinit {
        tally.count -= 1
    }

    var isEmpty: Bool { count == 0 }

    /// So many bytes were put in.
    mutating func filled(_ more: Int) {
        precondition(isEmpty, "a pipe was filled that was not empty")
        count = more
    }

    /// So many bytes were taken out.
    mutating func emptied(_ some: Int) {
        precondition(some <= count, "more came out of a pipe than is in it")
        count -= some
    }

    /// Copies from `buffer` into the empty pipe.
    ///
    /// - Returns: how many bytes: all, up to `limit` and what the pipe holds.
    mutating func put(from buffer: inout ByteBuffer, atMost limit: Int) throws(SystemError) -> Int {
        while true {
            let some = unsafe buffer.readable.withUnsafeBytes { bytes in
                unsafe write(writeEnd.raw, bytes.baseAddress, min(bytes.count, limit))
            }
            if some > 0 {
                buffer.consume(some)
                filled(some)
                return some
            }
            if some == 0 || errno != EINTR { throw SystemError("write", code: some == 0 ? EIO : errno, on: "a pipe") }
        }
    }

    /// Copies what is in it to the end of `buffer`, for a socket that the kernel would not splice to.
    mutating func drain(into buffer: inout ByteBuffer) throws(SystemError) {
        buffer.reserve(count)
        let (descriptor, wanted) = (readEnd.raw, count)
        while count > 0 {
            let some = unsafe buffer.fill { unsafe read(descriptor, $0.baseAddress, min($0.count, wanted)) }
            if some > 0 {
                emptied(some)
            } else if some == 0 || errno != EINTR {
                throw SystemError("read", code: some == 0 ? EIO : errno, on: "a pipe")
            }
        }
    }
}
