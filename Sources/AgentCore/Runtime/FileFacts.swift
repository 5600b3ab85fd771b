// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// What stat(2) tells of a file; of a link, what it leads to.
///
/// FileManager's attributes are of type `Any`, and hold other types of number with Foundation in the process (a test run)
/// than without (the program): a check by `as? Int` passed the one and was never made in the other.
struct FileFacts: Sendable, Equatable {
    let isRegular: Bool
    /// Every user of the host may change it.
    let isWritableByAll: Bool
    let byteCount: Int64

    init(of path: String) throws(SystemError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw SystemError("stat", on: path) }
        isRegular = status.st_mode & S_IFMT == S_IFREG
        isWritableByAll = status.st_mode & S_IWOTH != 0
        byteCount = Int64(status.st_size)
    }

    /// Whether there is nothing of that name: a link that leads nowhere is something, and so is what this user may not see.
    static func isMissing(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) != 0 && (errno == ENOENT || errno == ENOTDIR)
    }
}
