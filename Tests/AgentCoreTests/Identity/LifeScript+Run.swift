// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

extension LifeScript {
    /// Plays it through.
    ///
    /// - Returns: the invariants it breaks.
    func run() -> [String] {
        var play = LifePlay(self)
        return play.run()
    }

    /// The smallest script found that still breaks an invariant, by leaving out and simplifying.
    func shrunk(_ breaks: (LifeScript) -> Bool = { !$0.run().isEmpty }) -> LifeScript {
        var best = self
        var attempts = 0
        func attempt(_ change: (inout LifeScript) -> Void) -> Bool {
            var candidate = best
            change(&candidate)
            attempts += 1
            guard attempts < 1500, breaks(candidate) else { return false }
            best = candidate
            return true
        }
        var isSmaller = true
        while isSmaller, attempts < 1500 {
            isSmaller = false
            for size in [32, 8, 2, 1] {
                var place = 0
                while place < best.events.count {
                    let range = place..<min(place + size, best.events.count)
                    if attempt({ $0.events.removeSubrange(range) }) { isSmaller = true } else { place += size }
                }
                place = 0
                while place < best.replies.count {
                    let range = place..<min(place + size, best.replies.count)
                    if attempt({ $0.replies.removeSubrange(range) }) { isSmaller = true } else { place += size }
                }
            }
            for place in best.replies.indices where best.replies[place] != .good {
                isSmaller = attempt { $0.replies[place] = .good } || isSmaller
                if best.replies[place].delay > 0 { isSmaller = attempt { $0.replies[place].delay = 0 } || isSmaller }
            }
            for place in best.events.indices {
                let simpler = best.events[place].simpler
                for event in simpler where attempt({ $0.events[place] = event }) {
                    isSmaller = true
                    break
                }
            }
            if best.prefetch { isSmaller = attempt { $0.prefetch = false } || isSmaller }
            if best.skew != 0 { isSmaller = attempt { $0.skew = 0 } || isSmaller }
            if best.life != 300 { isSmaller = attempt { $0.life = 300 } || isSmaller }
            if best.source != .exec { isSmaller = attempt { $0.source = .exec } || isSmaller }
        }
        return best
    }
}

extension LifeScript.Event {
    /// Simpler ones to try in its place, the simplest first; each is smaller, so that trying ends.
    fileprivate var simpler: [Self] {
        switch self {
        case .call, .sourceChanged, .reject(late: false): []
        case .rush, .wish(0): [.call]
        case .wish(let life): [.call, .wish(life / 2)]
        case .reject(late: true): [.reject(late: false)]
        case .step(let size, let told): size.magnitude > 1 ? [.step(size / 2, told: told)] : []
        case .suspend(let size, let told): [.pass(size * 1000)] + (size > 1 ? [.suspend(size / 2, told: told)] : [])
        case .pass(let length): length > 1 ? [.pass(length / 2), .pass(length - 1)] : []
        }
    }
}

/// A script on the stage: the credential's loop, an API key behind it in the chain, and who watches.
struct LifePlay {
    let script: LifeScript
    private var host: VirtualHost
    private var key: VirtualHost
    private var broken: [String] = []
    private let issuer = Issuer()
    private var hasBeenServed = false

    /// What the source's closure knows.
    private final class Issuer {
        var last: SourceValue?
        /// How far this host's wall clock is from the truth, nanoseconds.
        var skew: Int64 = 0
        var isHealed = false
    }

    init(_ script: LifeScript) {
        self.script = script
        let issuer = issuer
        issuer.skew = Int64(script.skew) * 1_000_000_000
        host = VirtualHost(script.spec, seed: script.seed, wall: VirtualHost.epoch + issuer.skew) { number, now in
            let isGood = issuer.isHealed || number > script.replies.count
            let reply = isGood ? .good : script.replies[number - 1]
            let answer = Self.answer(reply.token, number, now.wall.minus(issuer.skew), script.life, issuer.last)
            if case .token(let value) = answer { issuer.last = value }
            return (Int64(reply.delay) * 1_000_000, answer)
        }
        key = VirtualHost(CredentialMachineTests.key) { _, _ in (0, .token(TestToken.value("key"))) }
        key.call()
        key.run(.seconds(1))
        host.run(.seconds(1))
    }

    private static func answer(
        _ token: LifeScript.Token, _ number: Int, _ wall: Int64, _ life: Int, _ last: SourceValue?
    ) -> VirtualHost.Answer {
        let wall = Double(wall / 1_000_000) / 1000
        let life = Double(life)
        func jwt(_ issued: Double?, _ expires: Double, begins: Double? = nil) -> VirtualHost.Answer {
            .token(TestToken.value(TestToken.jwt(issued: issued, notBefore: begins, expires: expires, serial: number)))
        }
        switch token {
        case .fresh: return jwt(wall, wall + life)
        case .aged: return jwt(wall - life / 2, wall + life / 2)
        case .untold: return jwt(nil, wall + life)
        case .begins(let ahead): return jwt(wall, wall + life + Double(ahead), begins: wall + Double(ahead))
        case .ended: return jwt(wall - life - 100, wall - 100)
        case .reversed: return jwt(wall, wall + life, begins: wall + life + 10)
        case .brief: return jwt(wall, wall + 1)
        case .same: return last.map { .token($0) } ?? .failure(CredentialFailure(.empty, "x"))
        case .opaque:
            return .token(TestToken.value("opaque-\(number)", expiry: .after(.seconds(life))))
        case .endless: return .token(TestToken.value("endless-\(number)"))
        case .constant: return .token(TestToken.value("constant"))
        case .failure(let kind, let retryAfter):
            return .failure(CredentialFailure(kind, "x", retryAfter: retryAfter.map { .seconds($0) }))
        case .hang: return .hang
        }
    }

    mutating func run() -> [String] {
        for event in script.events {
            perform(event)
            if !host.violations.isEmpty || !broken.isEmpty { break }
        }
        judgeQuestions()
        if script.isCalm { judgeMints() }
        if host.violations.isEmpty, broken.isEmpty { recover() }
        if host.violations.isEmpty, broken.isEmpty { lapse() }
        // Its answer may be from before the change.
        if host.asks.last?.forcesMeanwhile.contains(.change) == true {
            broken.append("a change of the source during a question was not asked for again")
        }
        return broken + host.violations + key.violations
    }

    private mutating func pass(_ nanoseconds: Int64) {
        host.run(nanoseconds)
        key.run(nanoseconds)
    }

    private mutating func perform(_ event: LifeScript.Event) {
        switch event {
        case .call: call()
        case .rush(let count): for _ in 0..<count { call() }
        case .wish(let life): wish(.seconds(Double(life)))
        case .reject(let late):
            host.send(.rejected(generation: (host.snapshot?.credential?.generation ?? 0) &- (late ? 1 : 0)))
        case .sourceChanged: host.send(.sourceChanged)
        case .step(let size, let told):
            issuer.skew = issuer.skew.plus(Int64(size) * 1_000_000_000)
            host.stepWall(by: Int64(size) * 1_000_000_000, told: told)
        case .suspend(let size, let told):
            host.suspend(Int64(size) * 1_000_000_000, told: told)
            key.suspend(Int64(size) * 1_000_000_000, told: told)
        case .pass(let length): pass(Int64(length) * 1_000_000)
        }
    }

    // MARK: No call fails while a link is usable

    private mutating func call() {
        guard let identity = host.snapshot, let fallback = key.snapshot else { return }
        let now = host.now
        let snapshots = [identity, fallback]
        let isUsable = identity.isUsable(at: now)
        for reasons in [Chain.Fallback.unavailable, [.unavailable, .rejected]] {
            // Alone, before a key, and for a caller who has waited long enough.
            for links in [[0], [0, 1]] {
                let chain = Chain(links: links.map { .credential($0) }, fallback: reasons)
                let decision = chain.decide(snapshots.span, clientBrought: false, at: now, bound: now.boot)
                switch decision {
                case .use(let link, let why, _):
                    if !snapshots[link].isUsable(at: now) { broken.append("an unusable link is used at \(now.boot)") }
                    if link == 1, isUsable, why != .rejected {
                        broken.append("the key in place of a usable identity at \(now.boot)")
                    }
                case .wait: broken.append("a caller past its bound waits at \(now.boot)")
                case .fail:
                    if isUsable || links.count == 2 { broken.append("a call fails with a usable link at \(now.boot)") }
                }
                let patient = chain.decide(
                    snapshots.span, clientBrought: false, at: now, bound: now.boot + .seconds(15))
                if case .fail = patient, isUsable || links.count == 2 {
                    broken.append("a patient call fails with a usable link at \(now.boot)")
                }
            }
        }
        if script.isCalm {
            if hasBeenServed, !isUsable { broken.append("nothing usable in a calm life at \(now.boot)") }
            hasBeenServed = hasBeenServed || isUsable
        }
        host.call()
    }

    private mutating func wish(_ life: Int64) {
        let begin = host.boot
        var wish = TokenWish(life: life, bound: begin + .seconds(15))
        while let snapshot = host.snapshot {
            let decision = wish.decide(snapshot, at: host.now)
            switch decision {
            case .serve:
                if !snapshot.isUsable(for: life, at: host.now) {
                    broken.append("a wish is served short at \(host.boot)")
                }
                return
            case .refuse:
                if snapshot.isUsable(for: life, at: host.now) { broken.append("a wish is refused at \(host.boot)") }
                return
            case .wait(let demands):
                if host.boot > begin + .seconds(15) { return broken.append("a wish waits for ever at \(host.boot)") }
                if demands { host.send(.demand(life: life)) }
                pass(.seconds(0.25))
            }
        }
    }

    // MARK: Mints bounded

    /// From one question to the next: the back-off, the floor, what the issuer asked for; and what may cut them short.
    private mutating func judgeQuestions() {
        let second = Int64.seconds(1) - 1_000_000
        for (first, next) in zip(host.asks, host.asks.dropFirst()) {
            guard let end = first.end else {
                broken.append("a question before the answer to the last at \(next.at)")
                continue
            }
            let gap = next.at - end
            // What came during a question makes its answer count for nothing.
            if first.forcesMeanwhile.contains(.change) || first.forcesMeanwhile.contains(.rejection) { continue }
            if next.forces.contains(.change) { continue }
            if let failure = first.failure {
                let isStepped = failure.kind == .expired && next.forces.contains(.step)
                let isRefused = failure.kind == .unchanged && next.forces.contains(.rejection)
                if isStepped || isRefused { continue }
                let asked = min(failure.retryAfter ?? .zero, .seconds(300)).nanoseconds
                if gap < second + asked { broken.append("asked \(gap) ns after a failure at \(next.at)") }
            } else if next.forces.isDisjoint(with: [.rejection, .step]), let floor = first.floor,
                gap < floor - 1_000_000
            {
                broken.append("asked \(gap) ns after a token with a floor of \(floor) at \(next.at)")
            }
        }
        for (first, next) in zip(host.renewals, host.renewals.dropFirst()) where next - first < .seconds(120) {
            broken.append("renewed twice for refusals within \(next - first) ns at \(next)")
        }
    }

    private mutating func judgeMints() {
        let lives = Double(host.boot) / 1e9 / Double(script.life)
        if Double(host.asked.count) > 1.5 * lives + 3 {
            broken.append("\(host.asked.count) questions in \(lives) lives of a source that does its part")
        }
    }

    // MARK: Recovery

    /// With the source and the clock right again, something usable is held again: after the longest `Retry-After` and a
    /// back-off step, or a flight's limit.
    private mutating func recover() {
        issuer.isHealed = true
        host.stepWall(by: -issuer.skew)
        issuer.skew = 0
        for _ in 0..<400 {
            host.send(.demand(life: 0))
            pass(.seconds(1))
            // A value that needs no renewal may stand beside the failure of one that was asked for early.
            let failure = host.snapshot?.failure
            let isSettled = failure == nil || failure?.kind == .unchanged || host.snapshot?.phase == .fresh
            if host.isUsable, isSettled { return }
            if !host.violations.isEmpty { return }
        }
        broken.append("not back after 400 s: \(host.snapshot?.phase as Any), \(host.snapshot?.failure as Any)")
    }
    // MARK: On demand

    /// Left alone, it is let go and nobody is asked any more; kept warm, it is never gone.
    private mutating func lapse() {
        let life = Int64.seconds(Double(max(script.life, 600)))
        if script.prefetch {
            // Whatever stands from before is over then, or good.
            pass(life.plus(life).plus(.seconds(400)))
            for _ in 0..<10 {
                pass(.seconds(Double(script.life)) / 3)
                if !host.isUsable, script.life >= 5 { broken.append("a prefetch is let go at \(host.boot)") }
            }
            return
        }
        pass(life.plus(life).plus(.seconds(400)))
        let asked = host.asked.count
        pass(life.plus(life))
        if host.asked.count > asked { broken.append("asked though nobody wanted it, at \(host.boot)") }
    }
}
