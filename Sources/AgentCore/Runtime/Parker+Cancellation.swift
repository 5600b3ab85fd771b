// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension Parker {
    /// Runs `body`, and wakes whoever is parked here when the task is cancelled meanwhile.
    ///
    /// The wake is one as any other: `body` looks at `Task.isCancelled` after each park, and decides what to leave in
    /// order. A cancellation that comes before the first park is not lost.
    ///
    /// - Parameter isolation: passed on by hand, since the standard library's handler runs a closure of a function without
    ///   one on the pool of all threads.
    func wakingAtCancellation<Value, Failure: Error>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let waker = CancellationWaker(self)
        let result: Result<Value, Failure> = await withTaskCancellationHandler {
            // A closure belongs to the actor that it captures.
            _ = isolation
            do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
        } onCancel: {
            waker.wake()
        }
        return try result.get()
    }
}

/// Carries a cancellation from the thread that it was said on to the loop.
private final class CancellationWaker: @unchecked Sendable {
    // @unchecked: the parker is touched in the work posted to its loop alone, where it is confined to.
    private let parker: Parker
    private let loop: EventLoop

    init(_ parker: Parker) {
        self.parker = parker
        loop = parker.loop
    }

    func wake() {
        loop.post { self.parker.unpark() }
    }
}
