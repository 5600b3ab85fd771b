// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// Tells when the last of a family of processes has ended. A shell takes hold of the write end of a fifo, and all that it
/// starts inherits it; the kernel says when nobody has it any more, whoever is left to reap whom.
struct Lifeline {
    private let folder = ScratchFolder()
    private let path: String
    private let end: Int32

    init() throws(SystemError) {
        path = folder.path("lifeline")
        guard unsafe mkfifo(path, 0o600) == 0 else { throw SystemError("mkfifo") }
        // Open before anybody holds the other end, so that nobody waits for this one.
        end = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard end >= 0 else { throw SystemError("open") }
    }

    /// The words with which a shell takes hold of it.
    var hold: String { "exec 9>\(path)" }

    /// Waits until somebody has held it and nobody does.
    ///
    /// - Returns: false if that does not come.
    func isLetGo() async -> Bool {
        let end = end
        return await EventLoop.offload {
            var event = pollfd(fd: end, events: 0, revents: 0)
            let count = unsafe poll(&event, 1, Int32(Wire.patience) * 1000)
            close(end)
            return count == 1 && event.revents & Int16(POLLHUP) != 0
        }
    }
}
