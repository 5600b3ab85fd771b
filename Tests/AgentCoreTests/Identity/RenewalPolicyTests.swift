// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct RenewalPolicyTests {
    private let received = HostTime(wall: VirtualHost.epoch, boot: 500_000_000_000)

    private func schedule(life: Double, jitter: Double) -> RenewalSchedule {
        RenewalPolicy().schedule(
            issued: received.wall, notBefore: nil, expires: received.wall + .seconds(life), remaining: nil,
            received: received, jitter: jitter)
    }

    /// The table of `RenewalPolicy`.
    @Test(arguments: [
        (5, 1.25, 5.0 / 3, 0.5, 1), (60, 15, 20, 6, 3), (300, 75, 100, 30, 15), (3600, 900, 1200, 60, 180),
        (43_200, 1350, 1800, 60, 2160), (2_592_000, 1350, 1800, 60, 129_600),
    ])
    func `the windows are those of the table`(
        _ life: Double, _ narrowest: Double, _ widest: Double, _ mandatory: Double, _ floor: Double
    ) {
        let (early, late) = (schedule(life: life, jitter: 0), schedule(life: life, jitter: 1))
        let end = received.moved(by: .seconds(life))
        #expect(early.expiry == end)
        #expect(early.advisory.isNear(end.moved(by: -.seconds(widest))))
        #expect(late.advisory.isNear(end.moved(by: -.seconds(narrowest))))
        #expect(early.mandatory == end.moved(by: -.seconds(mandatory)))
        #expect(early.floor == .seconds(floor))
    }

    @Test func `the windows follow each other for every life and every jitter`() {
        for exponent in 0...62 {
            for jitter: Double in [-1, 0, 0.3, 0.999, 1, 7, 1e300] {
                let life = Int64(1) << exponent
                let schedule = RenewalPolicy().schedule(
                    issued: nil, notBefore: nil, expires: nil, remaining: life, received: received, jitter: jitter)
                #expect(schedule.advisory.boot <= schedule.mandatory.boot)
                #expect(schedule.mandatory.boot <= schedule.expiry.boot)
                #expect(schedule.advisory.boot - received.boot >= life / 3 * 2)
                #expect(schedule.floor >= 1_000_000_000)
            }
        }
    }

    @Test(arguments: [Int64.min, -1, 0, 1, VirtualHost.epoch, .max - 1, .max])
    func `every number is answered`(_ number: Int64) {
        for other in [Int64.min, -1, 0, 1, VirtualHost.epoch, .max] {
            for jitter: Double in [0, 0.5, .nan, -1e300] {
                _ = RenewalPolicy().schedule(
                    issued: number, notBefore: other, expires: other, remaining: number,
                    received: HostTime(wall: other, boot: number), jitter: jitter)
            }
        }
    }

    @Test func `a token that arrives aged is treated as the short one it is`() {
        let schedule = RenewalPolicy().schedule(
            issued: received.wall - .seconds(3300), notBefore: nil, expires: received.wall + .seconds(300),
            remaining: nil, received: received, jitter: 0)
        #expect(schedule.life == .seconds(300))
        #expect(schedule.advisory.remaining(at: received) == .seconds(200))
    }

    @Test func `a host whose clock is behind holds no token longer than it was made for`() {
        let schedule = RenewalPolicy().schedule(
            issued: received.wall + .seconds(3600), notBefore: nil, expires: received.wall + .seconds(3900),
            remaining: nil, received: received, jitter: 0)
        #expect(schedule.life == .seconds(300))
        #expect(schedule.expiry.boot == received.boot + .seconds(300))
        #expect(schedule.expiry.wall == received.wall + .seconds(3900))
    }

    @Test func `an end in the past is reached at once`() {
        let schedule = schedule(life: -10, jitter: 0)
        #expect(schedule.expiry.isReached(at: received))
        #expect(schedule.life == 0)
    }

    @Test func `a length without a date is not ended by a step of the wall clock`() {
        let schedule = RenewalPolicy().schedule(
            issued: nil, notBefore: nil, expires: nil, remaining: .seconds(600), received: received, jitter: 0)
        #expect(!schedule.expiry.isReached(at: HostTime(wall: .max - 1, boot: received.boot + .seconds(599))))
        #expect(schedule.expiry.isReached(at: HostTime(wall: 0, boot: received.boot + .seconds(600))))
    }

    @Test func `a value without an end is never due`() {
        let schedule = RenewalPolicy().schedule(
            issued: received.wall, notBefore: nil, expires: nil, remaining: nil, received: received, jitter: 0)
        #expect(schedule.advisory == .never && schedule.expiry == .never && schedule.life == nil)
    }

    @Test func `an nbf ahead is waited for, but not the part that is a slow clock`() {
        func start(issued: Double?, notBefore: Double) -> Int64 {
            RenewalPolicy().schedule(
                issued: issued.map { received.wall + .seconds($0) }, notBefore: received.wall + .seconds(notBefore),
                expires: received.wall + .seconds(3600), remaining: nil, received: received, jitter: 0
            ).start.remaining(at: received)
        }
        #expect(start(issued: nil, notBefore: 30) == .seconds(30))
        #expect(start(issued: 30, notBefore: 30) <= 0)
        #expect(start(issued: 30, notBefore: 40) == .seconds(10))
        #expect(start(issued: -5, notBefore: -5) <= 0)
    }

    @Test(arguments: [(1, 1.0, 2.0), (2, 1, 4), (3, 1, 8), (5, 1, 32), (6, 1, 60), (1000, 1, 60), (0, 1, 2)])
    func `the back-off is that of its table`(_ failures: Int, _ least: Double, _ most: Double) {
        #expect(BackOff().delay(failures: failures, jitter: 0, retryAfter: nil) == .seconds(least))
        #expect(BackOff().delay(failures: failures, jitter: 1, retryAfter: nil) == .seconds(most))
    }

    @Test func `Retry-After is obeyed up to its bound, with jitter on top`() {
        #expect(BackOff().delay(failures: 1, jitter: 0, retryAfter: .seconds(30)) == .seconds(31))
        #expect(BackOff().delay(failures: 1, jitter: 1, retryAfter: .seconds(1 << 40)) == .seconds(302))
        #expect(BackOff().delay(failures: 1, jitter: 0, retryAfter: .seconds(-5)) == .seconds(1))
    }
}

extension HostTime {
    /// Equal but for the rounding of thirds.
    fileprivate func isNear(_ other: HostTime) -> Bool {
        (wall - other.wall).magnitude < 1000 && (boot - other.boot).magnitude < 1000
    }
}
