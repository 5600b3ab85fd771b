// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// A file that is either what it was or what it became, whenever the power fails.
enum AtomicFile {
    /// Writes beside the file, forces it to the disk and renames it over the old one, which a reader has until then.
    /// Blocks.
    ///
    /// - Parameter path: in a folder that exists. A file that was left half-written by a crash is written over.
    static func write(_ bytes: Span<UInt8>, to path: String, mode: UInt32 = 0o600) throws(SystemError) {
        let draft = path + ".new"
        try writeDraft(bytes, draft, mode)
        guard unsafe rename(draft, path) == 0 else {
            let error = SystemError("rename")
            unsafe _ = unlink(draft)
            throw error
        }
        // Without it the rename itself may be lost, which leaves the old file: no harm, and nothing to report.
        let folder = unsafe open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 { fsync(Descriptor(owning: folder).raw) }
    }

    /// Removes the file and what a crash may have left of its draft; that there is none is no error. Blocks.
    static func remove(_ path: String) throws(SystemError) {
        unsafe _ = unlink(path + ".new")
        guard unsafe unlink(path) != 0, errno != ENOENT else { return }
        throw SystemError("unlink")
    }

    private static func writeDraft(_ bytes: Span<UInt8>, _ draft: String, _ mode: UInt32) throws(SystemError) {
        // Its mode may be another's if the file is there from an earlier crash.
        unsafe _ = unlink(draft)
        let raw = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard raw >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: raw)
        var written = 0
        while written < bytes.count {
            let rest = bytes.extracting(written..<bytes.count)
            let count = unsafe rest.withUnsafeBufferPointer { unsafe Glibc.write(file.raw, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("write") }
            written += count
        }
        guard fsync(file.raw) == 0 else { throw SystemError("fsync") }
    }

    /// Makes a folder for the agent alone, mode 0700, and what is missing of the way to it.
    static func makeFolder(_ path: String) throws(SystemError) {
        guard unsafe mkdir(path, 0o700) != 0 else { return }
        if errno == ENOENT, parent(of: path) != path {
            try makeFolder(parent(of: path))
            guard unsafe mkdir(path, 0o700) != 0 else { return }
        }
        guard errno == EEXIST else { throw SystemError("mkdir") }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
