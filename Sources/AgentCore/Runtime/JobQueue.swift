// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The jobs of a loop that are ready to run, in order; of the loop's thread alone.
///
/// Raw memory and not an array: jobs add jobs while the queue is being worked off, and an array in a class would be asked
/// at every access whether it is in use.
@safe
final class JobQueue {
    private var base: UnsafeMutablePointer<UnownedJob>
    private var capacity = 64
    private var count = 0

    init() {
        unsafe base = .allocate(capacity: capacity)
    }

    deinit {
        unsafe base.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    func append(_ job: UnownedJob) {
        if count == capacity { grow() }
        unsafe (base + count).initialize(to: job)
        count += 1
    }

    private func grow() {
        let grown = UnsafeMutablePointer<UnownedJob>.allocate(capacity: capacity * 2)
        unsafe grown.moveInitialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = grown
        capacity *= 2
    }

    /// Runs the jobs that are here now; those they add are for the next time.
    func run(_ body: (UnownedJob) -> Void) {
        let due = count
        for index in 0..<due { body(unsafe base[index]) }
        // A job is a plain reference: the rest moves to the front.
        count -= due
        if count > 0 { unsafe base.update(from: base + due, count: count) }
    }
}
