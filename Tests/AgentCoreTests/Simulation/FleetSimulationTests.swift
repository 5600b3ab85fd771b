// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// A fleet small enough for every test run; `make simulate` runs the whole one and asserts all that is claimed of it.
@Suite struct FleetSimulationTests {
    private func plan(_ seed: UInt64) -> FleetSimulation.Plan {
        var plan = FleetSimulation.Plan()
        plan.hosts = 300
        plan.seed = seed
        plan.outage = .seconds(900) ..< .seconds(1500)
        plan.end = .seconds(2400)
        // Three hundred hosts are too few for the law of large numbers to hold in every second.
        plan.limitOverMean = 4
        return plan
    }

    @Test func `outside start and recovery nobody is without a token, and both end in time`() {
        var run = FleetSimulation(plan(1))
        run.run()
        let verdict = FleetVerdict(run)
        #expect(verdict.claims[2].holds, "\(verdict.claims[2].text)")
        #expect(verdict.claims[3].holds, "\(verdict.claims[3].text)")
        #expect(verdict.claims[4].holds, "\(verdict.claims[4].text)")
        #expect(run.seconds[1400].without == 300, "the outage is longer than a life")
    }

    @Test func `the same seed gives the same run, another seed another`() {
        func mints(_ seed: UInt64) -> [Int] {
            var run = FleetSimulation(plan(seed))
            run.run()
            return run.seconds.map(\.mints)
        }
        let first = mints(1)
        #expect(first == mints(1))
        #expect(first != mints(2))
    }

    @Test func `an issuer that never comes back fails the claims`() {
        var lost = plan(1)
        lost.outage = .seconds(900) ..< .seconds(2399)
        var run = FleetSimulation(lost)
        run.run()
        #expect(!FleetVerdict(run).holds)
    }

    @Test func `events come in the order of time, whenever they were added`() {
        var queue = EventQueue()
        var random = SeededGenerator(seed: 3)
        var last: Int64 = 0
        var count = 0
        for _ in 0..<2000 {
            queue.add(.init(at: Int64(random.next() % 20_000_000_000), host: UInt32(random.next() % 7), kind: .timer))
        }
        while let event = queue.next() {
            #expect(event.at >= last)
            last = event.at
            count += 1
            if count.isMultiple(of: 3), count < 3000 {
                queue.add(.init(at: last + Int64(random.next() % 3_000_000_000), host: 1, kind: .question))
            }
        }
        #expect(count == 2999)
    }
}
