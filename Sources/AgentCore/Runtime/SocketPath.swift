// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// The path of a Unix socket in the hands of one process, from before it looks whether somebody listens there until it
/// has removed the socket.
///
/// To dial is not enough: of two agents begun at once both may find the leftover of a third, one binds the path, and the
/// other removes what it takes for the leftover. Whoever holds the lock, flock(2) on `PATH.lock`, has the path to itself.
/// The kernel lets go of it however the process ends.
final class SocketPath: Sendable {
    let path: String
    private let lockPath: String
    private let lock: Descriptor
    /// What was bound there.
    private let bound = Mutex<Inode?>(nil)

    private struct Inode: Equatable {
        let device: dev_t
        let number: ino_t

        init(_ status: stat) {
            device = status.st_dev
            number = status.st_ino
        }
    }

    init(_ path: String) throws(ListenFailure) {
        self.path = path
        lockPath = path + ".lock"
        lock = try Self.lock(lockPath, for: path)
        // For people, and for the message of whoever comes second.
        let pid = Array("\(getpid())\n".utf8)
        if ftruncate(lock.raw, 0) == 0 { unsafe _ = write(lock.raw, pid, pid.count) }
    }

    /// Notes that the socket there now is this process's own.
    func noteBound() {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        let inode = Inode(status)
        bound.withLock { $0 = inode }
    }

    deinit {
        var status = stat()
        // Only what was bound here: somebody may have put another file there since.
        if let bound = bound.withLock({ $0 }), unsafe lstat(path, &status) == 0, Inode(status) == bound {
            unsafe _ = unlink(path)
        }
        // Before the descriptor is closed: nobody else can have it yet.
        unsafe _ = unlink(lockPath)
    }

    private static func lock(_ lockPath: String, for path: String) throws(ListenFailure) -> Descriptor {
        while true {
            let raw = unsafe open(lockPath, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard raw >= 0 else { throw .cannotLock(SystemError("open", on: lockPath)) }
            let file = Descriptor(owning: raw)
            guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
                if errno == EINTR { continue }
                if errno == EWOULDBLOCK { throw .locked(path, lock: lockPath, holder: holder(file)) }
                throw .cannotLock(SystemError("flock", on: lockPath))
            }
            // Its holder may have ended in between and removed it: then this lock is on a file that nobody finds.
            var (mine, there) = (stat(), stat())
            if unsafe fstat(file.raw, &mine) == 0, unsafe stat(lockPath, &there) == 0, Inode(mine) == Inode(there) {
                return file
            }
        }
    }

    /// What the holder has written of itself.
    private static func holder(_ file: borrowing Descriptor) -> Int32? {
        var text = [UInt8](repeating: 0, count: 12)
        let count = unsafe pread(file.raw, &text, text.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: text[..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
