// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// One of the streams that the process was started with. Never closed.
struct StandardStream: Sendable {
    private let raw: Int32

    init(raw: Int32) {
        self.raw = raw
    }

    static let output = StandardStream(raw: STDOUT_FILENO)
    static let error = StandardStream(raw: STDERR_FILENO)

    var isTerminal: Bool { isatty(raw) == 1 }

    /// Writes all of it, in one write(2) if the kernel takes it in one. It waits for a reader that does not keep up: not
    /// for a loop, whose lines go through `LogWriter`.
    ///
    /// - Returns: false if the reader is gone; the rest is lost then.
    @discardableResult
    func write(_ bytes: Span<UInt8>) -> Bool { writePart(bytes) == bytes.count }

    /// The same, for who goes on after a failure.
    ///
    /// - Returns: how many bytes were written before the reader was gone or the disk was full.
    func writePart(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(raw, $0.baseAddress! + offset, $0.count - offset)
            }
            if written > 0 {
                offset += written
            } else if errno == EAGAIN {
                // Whoever shares the stream has made it non-blocking.
                var place = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
                unsafe _ = poll(&place, 1, -1)
            } else if errno != EINTR {
                return offset
            }
        }
        return offset
    }
}
