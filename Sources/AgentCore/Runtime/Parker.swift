// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The one place where a task of a loop waits, whatever it waits for.
///
/// A connection has one parker; its sockets, its timer and whoever has news for it all unpark it, and the code then
/// looks at what has changed. So both directions of a stream, a client that leaves and a time limit are waited for at
/// once by one task in straight-line code, with no child tasks and nothing to cancel.
///
/// Wakes may be spurious. An unpark that comes while nobody is parked is kept for the next park: none is lost.
@safe
final class Parker {
    enum Wake {
        case unparked
        case timedOut
    }

    let loop: EventLoop
    private var continuation: UnsafeContinuation<Wake, Never>?
    private var hasNews = false
    private var deadline = Int64.max
    /// Place in the loop's heap, kept by the heap.
    var heapIndex: Int?
    private var heapTime = Int64.max

    init(on loop: EventLoop) {
        self.loop = loop
    }

    deinit {
        if heapIndex != nil { loop.removeTimer(self) }
    }

    /// Waits until `unpark()` or until the loop's monotonic clock reaches `deadline` (nanoseconds; nil waits for ever).
    ///
    /// One task at a time. It is not woken by task cancellation: whoever ends a connection sets its flag and unparks.
    func park(until deadline: Int64? = nil) async -> Wake {
        if hasNews {
            hasNews = false
            return .unparked
        }
        let deadline = deadline ?? .max
        self.deadline = deadline
        if deadline <= loop.now { return .timedOut }
        if deadline < .max, heapIndex == nil || deadline < heapTime {
            if heapIndex != nil { loop.removeTimer(self) }
            heapTime = deadline
            loop.setTimer(self, at: deadline)
        }
        return unsafe await withUnsafeContinuation { continuation in
            precondition(unsafe self.continuation == nil, "two tasks parked on one parker")
            // News may have come since the question above: the runtime is free to let other jobs run in between (it
            // does for a task that does not prefer this loop).
            if hasNews {
                hasNews = false
                unsafe continuation.resume(returning: .unparked)
                return
            }
            // So may the deadline have: its timer found nobody to wake, and is gone.
            if heapIndex == nil, deadline < .max, !setsTimerAgain(at: deadline) {
                unsafe continuation.resume(returning: .timedOut)
                return
            }
            unsafe self.continuation = continuation
        }
    }

    /// - Returns: false if it is too late for that.
    @inline(never)
    private func setsTimerAgain(at deadline: Int64) -> Bool {
        guard deadline > loop.now else { return false }
        heapTime = deadline
        loop.setTimer(self, at: deadline)
        return true
    }

    /// Wakes the parked task, or the next one that parks. On the loop only.
    func unpark() {
        guard let continuation = unsafe continuation else {
            hasNews = true
            return
        }
        unsafe self.continuation = nil
        unsafe continuation.resume(returning: .unparked)
    }

    /// The heap's entry has come up: wakes the task if its deadline has come too, else returns where the entry belongs.
    func timerFired(at now: Int64) -> Int64? {
        guard let continuation = unsafe continuation, deadline < .max else { return nil }
        guard deadline <= now else {
            heapTime = deadline
            return deadline
        }
        unsafe self.continuation = nil
        unsafe continuation.resume(returning: .timedOut)
        return nil
    }
}
