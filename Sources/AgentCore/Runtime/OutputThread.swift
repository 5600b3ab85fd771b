// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// A thread for output that may block for as long as a reader likes. It is begun when it is first needed, and sleeps for
/// good when there is nothing to do. After each piece of work it pauses for a moment, in which the next is gathered: to be
/// woken for every single one costs a busy loop more than all the rest of its log.
///
/// ## Concurrency
/// `wake` and `settle` from any thread. `work` is called on the one thread alone, at least once after each `wake`.
@safe
final class OutputThread: Sendable {
    private let work: @Sendable () -> Void
    private let state = Mutex(State())
    // Written in init alone; sem_overview(7) lets any thread post and wait. Never freed, as the thread never ends.
    private nonisolated(unsafe) let semaphores: UnsafeMutablePointer<sem_t>

    private struct State {
        var isBegun = false
        var isSettling = false
    }

    init(_ work: @escaping @Sendable () -> Void) {
        self.work = work
        unsafe semaphores = .allocate(capacity: 2)
        unsafe _ = sem_init(semaphores, 0, 0)
        unsafe _ = sem_init(semaphores + 1, 0, 0)
    }

    /// Has `work` called. Returns at once; only where no thread can be had is the work done here.
    func wake() {
        unsafe _ = sem_post(semaphores)
        let isNew = state.withLock { state in
            defer { state.isBegun = true }
            return !state.isBegun
        }
        guard isNew, !begin() else { return }
        state.withLock { $0.isBegun = false }
        work()
    }

    /// Waits until all that was asked for so far is done, for `seconds` at most.
    func settle(within seconds: Int) {
        let isBegun = state.withLock { state in
            state.isSettling = true
            return state.isBegun
        }
        guard isBegun else { return }
        unsafe _ = sem_post(semaphores)
        var end = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &end)
        end.tv_sec += seconds
        while unsafe sem_timedwait(semaphores + 1, &end) != 0, errno == EINTR {}
    }

    /// Without any signal, which would otherwise end the process here before it is known who takes them.
    private func begin() -> Bool {
        var thread = pthread_t()
        var all = sigset_t()
        var old = sigset_t()
        unsafe sigfillset(&all)
        unsafe _ = pthread_sigmask(SIG_SETMASK, &all, &old)
        defer { unsafe _ = pthread_sigmask(SIG_SETMASK, &old, nil) }
        let box = unsafe Unmanaged.passRetained(self)
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<OutputThread>.fromOpaque(argument!).takeRetainedValue().serve()
                return nil
            }, box.toOpaque())
        if code == 0 { pthread_detach(thread) } else { unsafe box.release() }
        return code == 0
    }

    /// Two milliseconds.
    private static func pause() {
        var time = timespec(tv_sec: 0, tv_nsec: 2_000_000)
        unsafe _ = nanosleep(&time, nil)
    }

    private func serve() {
        unsafe _ = pthread_setname_np(pthread_self(), "log")
        while true {
            guard unsafe sem_wait(semaphores) == 0 else { continue }
            // Asked before the work: what was put in place before `settle` is in it.
            let isSettling = state.withLock { state in
                defer { state.isSettling = false }
                return state.isSettling
            }
            work()
            if isSettling { unsafe _ = sem_post(semaphores + 1) } else { Self.pause() }
        }
    }
}

extension [UInt8] {
    mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
