// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The result, some time, of work that runs off the loop; a parker is woken when it is there.
///
/// Where `EventLoop.offload` waits for one thing, this lets a task wait for the work, its client and its deadline at
/// once. A result that nobody waits for any more is dropped.
final class Pending<Value: Sendable>: @unchecked Sendable {
    // @unchecked: both properties are touched on the loop's thread alone; the work itself sees neither.
    private var parker: Parker?
    private(set) var value: Value?

    /// Starts `work` on a thread of `BlockingThreads`. On `loop`, by the task that parks on `parker`.
    init(on loop: EventLoop, waking parker: Parker, _ work: @escaping @Sendable () -> Value) {
        self.parker = parker
        BlockingThreads.shared.run {
            let value = work()
            loop.post { self.fulfil(value) }
        }
    }

    /// Waits for what `begin` hands over, once, on any thread.
    init(on loop: EventLoop, waking parker: Parker, begin: (@escaping @Sendable (Value) -> Void) -> Void) {
        self.parker = parker
        begin { value in loop.post { self.fulfil(value) } }
    }

    private func fulfil(_ value: Value) {
        self.value = value
        parker?.unpark()
        parker = nil
    }

    /// Nobody waits any more.
    func abandon() {
        parker = nil
    }
}
