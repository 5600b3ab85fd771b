// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct EventLoopTests {
    @Test func `an unpark that comes before the park is not lost`() async throws {
        let wake = try await LoopActor.with { _, _, parker in
            parker.unpark()
            return await parker.park()
        }
        #expect(wake == .unparked)
    }

    @Test func `a deadline that has passed does not wait`() async throws {
        let wake = try await LoopActor.with { _, loop, parker in await parker.park(until: loop.now) }
        #expect(wake == .timedOut)
    }

    @Test(.timeLimit(.minutes(1))) func `a deadline comes to a task that does not prefer the loop, too`() async throws {
        let wake = try await LoopActor.with { actor, _, _ in
            await Task.detached {
                await actor.run { _, loop, parker in await parker.park(until: loop.now + 1) }
            }.value
        }
        #expect(wake == .timedOut)
    }

    @Test func `deadlines end in their order, whatever order they were set in`() async throws {
        let order = try await LoopActor.with { actor, loop, _ in
            let log = Shared<[Int]>([])
            await withDiscardingTaskGroup { group in
                for delay in [30, 10, 20, 0, 40] {
                    group.addTask(executorPreference: loop) {
                        await actor.run { _, loop, parker in
                            let wake = await parker.park(until: loop.now + Int64(delay) * 1_000_000)
                            if wake == .timedOut { log.update { $0.append(delay) } }
                        }
                    }
                }
            }
            return log.value
        }
        #expect(order == [0, 10, 20, 30, 40])
    }

    @Test func `a parker whose deadline moved later is not woken at the earlier one`() async throws {
        let wakes = try await LoopActor.with { _, loop, parker in
            parker.unpark()
            _ = await parker.park(until: loop.now + 1_000_000)
            let first = await parker.park(until: loop.now + 5_000_000)
            let later = loop.now
            let second = await parker.park(until: later + 20_000_000)
            return (first, second, loop.now - later >= 20_000_000)
        }
        #expect(wakes == (.timedOut, .timedOut, true))
    }

    @Test func `a parker that goes takes its timer along`() async throws {
        let counts = try await LoopActor.with { _, loop, _ in
            let hour = loop.now + 3_600_000_000_000
            let first = Parker(on: loop)
            var parkers = (0..<100).map { _ in Parker(on: loop) }
            for (index, parker) in parkers.enumerated() { loop.setTimer(parker, at: hour - Int64(index % 7)) }
            loop.setTimer(first, at: hour)
            let before = loop.timerCount
            parkers.removeAll { _ in true }
            return (before, loop.timerCount, loop.nextTimer == hour)
        }
        #expect(counts == (101, 1, true))
    }

    @Test func `work posted from many threads arrives, each thread's in its order`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer { loop.stop() }
        let seen = Shared<[Int: [Int]]>([:])
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask {
                    for number in 0..<500 {
                        loop.post { seen.update { $0[sender, default: []].append(number) } }
                    }
                    await withCheckedContinuation { continuation in loop.post { continuation.resume() } }
                }
            }
        }
        #expect(seen.value == [0: Array(0..<500), 1: Array(0..<500), 2: Array(0..<500), 3: Array(0..<500)])
    }

    @Test func `an idle loop does not turn`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer { loop.stop() }
        await withCheckedContinuation { continuation in loop.post { continuation.resume() } }
        // A second loop's timer tells that time has passed; nothing else happens to the first meanwhile.
        let before = loop.turns
        _ = try await LoopActor.with { _, other, parker in await parker.park(until: other.now + 50_000_000) }
        #expect(loop.turns - before <= 1)
    }

    @Test func `blocking work runs elsewhere and its caller goes on here`() async throws {
        let (there, here) = try await LoopActor.with { _, loop, _ in
            let there = await EventLoop.offload { loop.isOnLoop }
            return (there, loop.isOnLoop)
        }
        #expect(there == false)
        #expect(here == true)
    }
}
