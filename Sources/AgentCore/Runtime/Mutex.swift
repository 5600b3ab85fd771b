// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// A value behind a lock: pthread_mutex_lock(3), with the face of Synchronization's `Mutex`.
///
/// Not that one, because the thread sanitizer does not see its futex on Linux: every value that was handed over under it
/// looked like a race, and the real ones among them would have been overlooked. Nothing on the way of a request locks.
@safe
struct Mutex<Value>: ~Copyable, @unchecked Sendable {
    // @unchecked: `value` is touched with the lock held, and neither pointer changes after init.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    init(_ initial: consuming sending Value) {
        unsafe lock = .allocate(capacity: 1)
        unsafe lock.initialize(to: pthread_mutex_t())
        unsafe _ = pthread_mutex_init(lock, nil)
        unsafe value = .allocate(capacity: 1)
        unsafe value.initialize(to: initial)
    }

    deinit {
        unsafe _ = pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    /// Runs `body` alone among all that use this value. Nothing that blocks belongs in it.
    borrowing func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe _ = pthread_mutex_lock(lock)
        defer { unsafe _ = pthread_mutex_unlock(lock) }
        return try unsafe body(&value.pointee)
    }
}

/// Where one thread leaves a value for another, once.
final class Shelf<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func put(_ new: Value) {
        value.withLock { $0 = new }
    }

    /// What was put; to be called after it, once.
    func take() -> Value {
        let taken = value.withLock { value in
            let taken = value
            value = nil
            return taken
        }
        guard let taken else { preconditionFailure("taken before it was put") }
        return taken
    }
}
