// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// Random lives: what the source answers, when callers come, how the clock steps, what upstreams refuse. The invariants
/// are checked after every event by `VirtualHost`; here are those that need the whole life.
@Suite struct CredentialPropertyTests {
    @Test(arguments: 0..<150)
    func `no script breaks the invariants`(_ seed: Int) {
        let script = Script(seed: UInt64(seed))
        #expect(script.run() == [], "seed \(seed)")
    }

    @Test(arguments: 0..<60)
    func `a chain with a key behind it never fails a call, and comes back to the identity`(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed) &+ 9000)
        let script = Script(seed: UInt64(seed))
        var identity = script.host()
        var key = VirtualHost(CredentialMachineTests.key) { _, _ in (0, .token(TestToken.value("key"))) }
        key.call()
        key.run(.seconds(1))
        identity.run(.seconds(1))
        let chain = Chain(links: [.credential(0), .credential(1)], fallback: [.unavailable, .rejected])
        for _ in 0..<300 {
            let bound = identity.boot + .seconds(10)
            call: while true {
                let snapshots = [identity.snapshot, key.snapshot].compactMap(\.self)
                let decision = chain.decide(snapshots.span, clientBrought: false, at: identity.now, bound: bound)
                switch decision {
                case .use(let link, _, let preferred):
                    if preferred == 0 { identity.send(.demand(life: 0)) } else if link == 0 { identity.send(.used) }
                    break call
                case .wait(let link):
                    #expect(link == 0 && identity.boot < bound)
                    identity.send(.demand(life: 0))
                    pass(.milliseconds(100))
                case .fail:
                    Issue.record("failed a call with a usable key, seed \(seed)")
                    break call
                }
            }
            pass(.seconds(Int(random.next() % 30)))
        }
        // Whatever happened, a source that works again is in use again.
        identity.source = CredentialMachineTests.minting(300)
        var waited = 0
        while identity.snapshot?.failure != nil || !identity.isUsable {
            identity.send(.demand(life: 0))
            pass(.seconds(1))
            waited += 1
            // Retry-After of five minutes and a back-off step, or a hung flight and its limit.
            if waited > 365 { break }
        }
        #expect(waited <= 365, "seed \(seed)")
        #expect(identity.violations == [], "seed \(seed)")

        func pass(_ time: Duration) {
            identity.run(time.nanoseconds)
            key.run(time.nanoseconds)
        }
    }
}

/// One random life, decided by its seed.
struct Script {
    let seed: UInt64

    func host() -> VirtualHost {
        var random = SeededGenerator(seed: seed)
        let lives: [Double] = [5, 30, 300, 900, 3600, 86_400]
        let life = lives[Int(random.next() % 6)]
        // How bad this source is, in percent.
        let trouble = random.next() % 80
        var spec =
            random.next().isMultiple(of: 4)
            ? CredentialMachineTests.file : CredentialMachineTests.exec
        spec.prefetch = random.next().isMultiple(of: 5)
        let tellsIssue = !random.next().isMultiple(of: 3)
        let dice = Box(SeededGenerator(seed: seed ^ 0xfeed))
        let last = Box("")
        return VirtualHost(spec, seed: seed) { count, now in
            let delay = Int64(dice.value.next() % 3_000_000_000)
            let wall = Double(now.wall / 1_000_000) / 1000
            func fresh(_ life: Double, from wall: Double) -> VirtualHost.Answer {
                last.value = TestToken.jwt(
                    issued: tellsIssue ? wall : nil, expires: wall + life, serial: count)
                return .token(TestToken.value(last.value))
            }
            guard dice.value.next() % 100 < trouble else { return (delay, fresh(life, from: wall)) }
            switch dice.value.next() % 9 {
            case 0: return (delay, .failure(CredentialFailure(.unreachable, "x")))
            case 1:
                return (
                    delay,
                    .failure(CredentialFailure(.refused, "x", retryAfter: .seconds(Int(dice.value.next() % 400))))
                )
            case 2: return (0, .hang)
            case 3, 4: return (delay, last.value.isEmpty ? .hang : .token(TestToken.value(last.value)))
            case 5: return (delay, fresh(life, from: wall - life - 100))
            case 6: return (delay, fresh(1, from: wall))
            case 7:
                last.value = TestToken.jwt(notBefore: wall + 20, expires: wall + life + 30, serial: count)
                return (delay, .token(TestToken.value(last.value)))
            default: return (0, .failure(CredentialFailure(.empty, "x")))
            }
        }
    }

    /// - Returns: the broken invariants.
    func run() -> [String] {
        var host = host()
        var random = SeededGenerator(seed: seed ^ 0xbeef)
        var rejections = 0
        var changes = 0
        var steps = 0
        let isCalm = random.next().isMultiple(of: 2)
        for _ in 0..<400 {
            switch random.next() % (isCalm ? 8 : 14) {
            case 0...4: host.call()
            case 5: host.send(.demand(life: Int64(random.next() % 400) * 1_000_000_000))
            case 6: host.send(.used)
            case 7: break
            case 8, 9:
                rejections += 1
                host.send(.rejected(generation: (host.snapshot?.generation ?? 0) &- random.next() % 2))
            case 10:
                changes += 1
                host.send(.sourceChanged)
            default:
                steps += 1
                let size = [1.0, 60, 3600, 1e6][Int(random.next() % 4)]
                host.stepWall(by: .seconds(random.next().isMultiple(of: 2) ? size : -size), told: random.next() % 3 > 0)
            }
            host.run(Int64(random.next() % 20_000_000_000))
        }
        var broken = host.violations
        // Whatever was done to it: the fetches a back-off of a second allows, and one for each thing that forces one.
        let seconds = host.boot / 1_000_000_000
        if host.asked.count > Int(seconds) + rejections + 2 * changes + steps {
            broken.append("a storm: \(host.asked.count) fetches in \(seconds) s")
        }
        for (earlier, later) in zip(host.asked, host.asked.dropFirst())
        where rejections + changes + steps == 0 && later - earlier < 1_000_000_000 {
            broken.append("two fetches within a second at \(later)")
        }
        return broken
    }
}
