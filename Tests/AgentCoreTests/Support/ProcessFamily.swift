// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// The processes of one shell script, for tests that ask when the last of them has ended.
///
/// Each inherits the writing end of a pipe from the script's first line on, and the kernel closes it when the process
/// ends, however that comes about: the pipe's end of file is the event.
final class ProcessFamily: Sendable {
    private let folder = ScratchFolder()
    private let readEnd: Int32

    init() throws {
        guard unsafe mkfifo(folder.path("family"), 0o600) == 0 else { throw SystemError("mkfifo") }
        // Without waiting for a writer, and so that the script need not wait for a reader.
        readEnd = unsafe open(folder.path("family"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard readEnd >= 0 else { throw SystemError("open") }
    }

    deinit {
        close(readEnd)
    }

    /// `script`, whose processes belong to the family.
    func script(_ script: String) -> String {
        "exec 9>\(folder.path("family")); echo >&9; \(script)"
    }

    /// Blocks until the script has begun.
    func waitForStart() throws {
        try #require(hasNews(), "the script has not begun")
    }

    /// Blocks until no process of the family lives. A script that has never begun is a failure.
    func waitForEnd() throws {
        try #require(hasNews() && read() == 1, "the script has not begun")
        try #require(hasNews() && read() == 0, "a process of the script lives on")
    }

    private func hasNews() -> Bool {
        var wait = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wait, 1, Int32(Wire.patience * 1000)) == 1
    }

    private func read() -> Int {
        var bytes: [UInt8] = [0, 0]
        return unsafe Glibc.read(readEnd, &bytes, bytes.count)
    }
}
