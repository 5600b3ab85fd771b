// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What a run of the fleet shows, and whether it keeps what is promised of it.
///
/// **The start** lasts from the common boot until the last host has its first token, **the recovery** from the issuer's
/// return until the last host has one again. Both are bounded: to serve everybody takes at least hosts ÷ limit, and one
/// back-off step (60 s) comes on top. Outside the two, and while the issuer is up:
/// nobody is without a token at any moment, and the fleet never even meets the issuer's limit.
struct FleetVerdict {
    struct Claim {
        let text: String
        let holds: Bool
    }

    /// Mints a second, on average over all seconds in which the issuer was up.
    let mean: Double
    let most: Int
    /// Seconds from the common boot, and from the issuer's return, until the last host had a token.
    let start: Int
    let recovery: Int
    let claims: [Claim]

    var holds: Bool { claims.allSatisfy(\.holds) }

    init(_ run: FleetSimulation) {
        let plan = run.plan
        let down = Int(plan.outage.lowerBound.nanoseconds / 1_000_000_000)
        let up = Int(plan.outage.upperBound.nanoseconds / 1_000_000_000)
        let end = Int(plan.end.nanoseconds / 1_000_000_000)
        let seconds = run.seconds
        let start = (seconds[..<down].firstIndex { $0.without == 0 } ?? down) + 1
        let recovery = (seconds[up..<end].firstIndex { $0.without == 0 } ?? end) - up + 1
        let served = Array(seconds[..<down]) + Array(seconds[up..<end])
        let calm = Array(seconds[min(start, down)..<down]) + Array(seconds[min(up + recovery, end)..<end])
        let mean = Double(served.reduce(0) { $0 + $1.mints }) / Double(served.count)
        let most = served.map(\.mints).max() ?? 0
        let step = Int(BackOff().longest.nanoseconds / 1_000_000_000)
        let spread = Int(CredentialMachine.standardPrefetchSpread.nanoseconds / 1_000_000_000)
        let leastStart = max(spread, plan.hosts / run.limit + 1)
        let leastRecovery = plan.hosts / run.limit + 1
        let without = calm.map(\.without).max() ?? 0
        let mints = calm.map(\.mints).max() ?? 0
        let lost = calm.reduce(0) { $0 + $1.lost }
        let limited = calm.reduce(0) { $0 + $1.limited }
        let lives = Double(served.count) * 1e9 / Double(plan.life.nanoseconds)
        let total = served.reduce(0) { $0 + $1.mints }
        let perLife = Double(total) / Double(plan.hosts) / lives
        self.mean = mean
        self.most = most
        self.start = start
        self.recovery = recovery
        claims = [
            Claim(
                text: "mints a second stay within twice their mean, start and recovery included: "
                    + "\(most) at most, \(Int(mean)) on average",
                holds: Double(most) <= 2 * mean),
            Claim(
                text:
                    "outside start and recovery the fleet keeps to that by itself: \(mints) mints in a second at most, "
                    + "\(limited) answers 429",
                holds: Double(mints) <= 2 * mean && limited == 0),
            Claim(
                text: "outside start and recovery nobody is without a token while the issuer is up: "
                    + "\(without) at most, \(lost) lost one",
                holds: without == 0 && lost == 0),
            Claim(
                text:
                    "the start takes \(start) s: the limit allows \(leastStart) s at best, and a back-off step is \(step) s",
                holds: start <= leastStart + step),
            Claim(
                text:
                    "the recovery takes \(recovery) s: the limit allows \(leastRecovery) s at best, and a back-off step is \(step) s",
                holds: recovery <= leastRecovery + step),
            Claim(
                text: "a host mints \(hundredths(perLife)) tokens a life, start and recovery included, and 1.5 at most",
                holds: perLife <= 1.5),
        ]
    }
}

/// `1.43`, rounded.
private func hundredths(_ value: Double) -> String {
    let number = Int((value * 100).rounded())
    return "\(number / 100).\(number % 100 < 10 ? "0" : "")\(number % 100)"
}
