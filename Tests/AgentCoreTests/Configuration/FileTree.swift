// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// What a test does to the file system besides writing files.
enum FileTree {
    static func makeFolder(_ path: String) { _ = unsafe mkdir(path, 0o700) }
    static func removeFolder(_ path: String) { _ = unsafe rmdir(path) }
    static func makeLink(_ path: String, to target: String) { _ = unsafe symlink(target, path) }
    static func setMode(_ path: String, _ mode: mode_t) { _ = unsafe chmod(path, mode) }
}
