// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// A test may not set the clock of the host it runs on: the kernel's part of it is not shown here.
@Suite(.timeLimit(.minutes(1))) struct ClockWatchTests {
    @Test func `it is told of each step, stays armed, and says nothing after it is closed`() async throws {
        try await LoopActor.with { _, loop, parker in
            let count = Box(0)
            let made = ClockWatch(on: loop) {
                count.value += 1
                parker.unpark()
            }
            let watch = try #require(made)
            #expect(count.value == 0)
            // What the loop calls when the kernel cancels the timer.
            watch.eventsArrived(1)
            watch.eventsArrived(1)
            #expect(count.value == 2)
            // Armed again, it lets the loop sleep.
            while await parker.park(until: loop.now + 1_000_000) != .timedOut {}
            watch.close()
            watch.close()
        }
    }

    @Test func `closing it gives its descriptor back`() async throws {
        try await LoopActor.with { _, loop, _ in
            for _ in 0..<5000 {
                let watch = ClockWatch(on: loop) {}
                #expect(watch != nil)
                watch?.close()
            }
        }
    }

    /// The kernel lets a clock be set to thirty years before the end of its time at most (ktime_t), and a timer beyond that end
    /// expires there.
    @Test func `it waits for a moment that no clock can be set to`() {
        let end = Int.max / 1_000_000_000
        #expect((end - 30 * 365 * 86_400)...end ~= ClockWatch.never)
    }
}
