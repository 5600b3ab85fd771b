// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Threads for work that blocks, begun as they are needed and ended when they have had nothing to do for a while.
///
/// Not Dispatch: on Linux its global queues look at their threads once a second from their first use to the end of the
/// process, and an agent that nobody calls is to let the processor sleep.
@safe
final class BlockingThreads: Sendable {
    static let shared = BlockingThreads()
    /// As many as Dispatch would begin. Work beyond waits its turn.
    private static let limit = 64
    /// Seconds that a thread waits for more.
    private static let patience = 5

    private struct State {
        var queue: [@Sendable () -> Void] = []
        var threads = 0
        var waiting = 0
    }

    private let state = Mutex(State())
    // Written in init alone; sem_overview(7) lets any thread post and wait. Never freed, as the only pool never ends.
    private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

    private init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe _ = sem_init(semaphore, 0, 0)
    }

    /// Runs `work` on a thread of its own. Returns at once.
    func run(_ work: @escaping @Sendable () -> Void) {
        let isNewNeeded = state.withLock { state in
            state.queue.append(work)
            guard state.waiting < state.queue.count, state.threads < Self.limit else { return false }
            state.threads += 1
            return true
        }
        unsafe _ = sem_post(semaphore)
        if isNewNeeded, !begin() {
            // Without a single thread nobody else would do it.
            let isAlone = state.withLock { state in
                state.threads -= 1
                return state.threads == 0
            }
            while isAlone, let work = next() { work() }
        }
    }

    private func begin() -> Bool {
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { _ in
                BlockingThreads.shared.serve()
                return nil
            }, nil)
        if code == 0 { pthread_detach(thread) }
        return code == 0
    }

    private func serve() {
        unsafe _ = pthread_setname_np(pthread_self(), "blocking")
        while true {
            state.withLock { $0.waiting += 1 }
            var end = timespec()
            unsafe _ = clock_gettime(CLOCK_REALTIME, &end)
            end.tv_sec += Self.patience
            let isOver = unsafe sem_timedwait(semaphore, &end) != 0 && errno == ETIMEDOUT
            let work = state.withLock { state -> (@Sendable () -> Void)? in
                state.waiting -= 1
                if !state.queue.isEmpty { return state.queue.removeFirst() }
                if isOver { state.threads -= 1 }
                return nil
            }
            if let work { work() } else if isOver { return }
        }
    }

    private func next() -> (@Sendable () -> Void)? {
        state.withLock { $0.queue.isEmpty ? nil : $0.queue.removeFirst() }
    }
}
