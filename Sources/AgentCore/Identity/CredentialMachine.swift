// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The life of one credential, as decisions: events with the time go in, actions come out. No clock, no input or output.
///
/// | event | nothing in flight | a fetch in flight |
/// | --- | --- | --- |
/// | `demand`, `used` | fetches if nothing is held, or the value is in its advisory window; not before the back-off or the floor is over | joins it |
/// | `fetched`, a new value | — | is the next generation; back-off and rejection are forgotten |
/// | `fetched`, the same value, longer life | — | the life is extended, the generation stays |
/// | `fetched`, the same value otherwise | — | no success: backs off; the value is served while it lives |
/// | `fetched`, a failure | — | backs off; the value is served while it lives |
/// | `rejected`, the generation held | marks it rejected; fetches, once a cooldown | marks it; a result that equals it is fetched again |
/// | `rejected`, an older generation | nothing: it has been replaced already | nothing |
/// | `start`, with `prefetch` | fetches within `prefetchSpread`, so that hosts that start together do not ask together; a demand does not wait for that | — |
/// | `restored`, a value kept from before a restart | is the next generation, if none is held and it lives | the same, and the fetch goes on |
/// | `sourceChanged` | fetches at once if a value is held or wanted | fetches again after it |
/// | `timer` at the advisory window | fetches if somebody asked during the last life, or `prefetch`; else lets it lapse | — |
/// | `timer` at the flight's limit | — | abandons it: a failure |
/// | `clockStepped` | everything is judged anew; at most one fetch a second | the same |
///
/// The invariants, each held by a property test: one flight at a time; none is awaited past the limit it started with,
/// at which the source is told to end and its result is ignored (a source ends by itself before that, at the limit that
/// is configured: `SourceSpec.flightLimit`); a value past its end on either clock is in no usable snapshot; a failure
/// never removes a value; the timer set is the next thing to happen.
struct CredentialMachine: Sendable {
    enum Event: Sendable {
        /// It was configured, or the agent has started.
        case start
        /// A value that was kept across a restart.
        case restored(SourceValue)
        /// A caller needs it, with at least `life` nanoseconds left.
        case demand(life: Int64)
        /// A caller used it, whatever generation.
        case used
        case fetched(flight: UInt64, Result<SourceValue, CredentialFailure>)
        /// An upstream refused this generation.
        case rejected(generation: UInt64)
        case timer
        /// A watched file was replaced.
        case sourceChanged
        case clockStepped
    }

    enum Action: Sendable {
        case startFetch(flight: UInt64)
        /// Cancel it; its result will be ignored.
        case abandonFetch(flight: UInt64)
        /// One timer, on the boot clock in nanoseconds, in place of the one before; nil: none.
        case setTimer(Int64?)
        case publish(CredentialSnapshot)
        case report(CredentialChange)
    }

    struct Flight: Sendable {
        let id: UInt64
        let started: Int64
        /// When it is abandoned, on the boot clock: `SourceSpec.flightLimit` after its start.
        let limit: Int64
        /// A rejection or a change came after it had started: its result may be from before.
        var isOutdated = false
    }

    private(set) var spec: CredentialSpec
    var policy = RenewalPolicy()
    var backOff = BackOff()
    /// How long after the start the first fetch of a `prefetch` may be put off.
    var prefetchSpread = Self.standardPrefetchSpread
    static let standardPrefetchSpread = Duration.seconds(60)
    /// After so many failures in a row the other hosts are taken to have failed as well, and to recover in the same
    /// minute: the back-off is then at its longest.
    var failuresOfAnOutage = 5
    /// How long a rejection keeps the next one from causing a renewal; doubled by each in a row, up to half an hour.
    var cooldown = Duration.seconds(120)

    private(set) var current: Credential?
    /// A value whose `nbf` is still to come.
    private(set) var upcoming: Credential?
    private(set) var flight: Flight?
    private(set) var rejection = Rejection()
    private var failure: CredentialFailure?
    private var failedAt: HostTime?
    private var failures = 0
    private var earliestFetch = Int64.min
    /// Until when a source is left alone that was asked a moment ago, as long as a value is held that has not ended: a
    /// clock that is set may end it at once.
    private var rest = Int64.min
    private var lastInterest: Int64?
    /// The last demand that found nothing usable, until something is.
    private var unmetDemand: Int64?
    private var wantedLife: Int64 = 0
    private var sourceIsChanged = false
    private var generation: UInt64
    private var mints: UInt64 = 0
    private var fetches: UInt64 = 0
    private var skew: ClockSkew?
    private var generator: SeededGenerator

    private var published: CredentialSnapshot?
    private var timer: Int64?
    private var wasUsable = false
    private var isFailing = false

    /// - Parameters:
    ///   - lastGeneration: the newest generation of this name so far, if the credential was configured anew.
    ///   - seed: of all jitter; different on every host.
    init(_ spec: CredentialSpec, lastGeneration: UInt64 = 0, seed: UInt64) {
        self.spec = spec
        generation = lastGeneration
        generator = SeededGenerator(seed: seed)
    }

    mutating func handle(_ event: Event, at now: HostTime) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .start:
            if spec.prefetch, current == nil, fetches == 0, earliestFetch == .min {
                earliestFetch = now.boot.plus(prefetchSpread.nanoseconds.scaled(by: generator.fraction()))
            }
        case .restored(let value): restore(value, at: now, &actions)
        case .timer: timer = nil
        case .demand(let life):
            if fetches == 0 { earliestFetch = min(earliestFetch, now.boot) }
            lastInterest = now.boot
            if !(current?.isUsable(at: now) ?? false) { unmetDemand = now.boot }
            // A wish that no value of this source fulfils must not take the place of one that can be.
            if (upcoming ?? current)?.canLast(life) ?? true { wantedLife = max(wantedLife, life) }
        case .used:
            lastInterest = now.boot
        case .fetched(let id, let result):
            if let flight, flight.id == id {
                self.flight = nil
                receive(result, from: flight, at: now, &actions)
            }
        case .rejected(let generation):
            lastInterest = now.boot
            if generation == current?.generation, !rejection.isActive(at: now) { reject(at: now, &actions) }
        case .sourceChanged:
            sourceIsChanged = true
            flight?.isOutdated = true
            readAgain(at: now)
        case .clockStepped:
            // Floor and rest were measured from a life that may have been wrong, and so may have been the verdict.
            let soon = now.boot.plus(Duration.seconds(1).nanoseconds)
            rest = min(rest, soon)
            if [nil, .expired, .unchanged].contains(failure?.kind) { earliestFetch = min(earliestFetch, soon) }
        }
        settle(at: now, &actions)
        return actions
    }

    /// Takes over a spec that differs in nothing by which the value held was judged.
    mutating func adopt(_ new: CredentialSpec) {
        spec = new
    }

    private var lastStart = Int64.min
}

// MARK: - What a fetch brought

extension CredentialMachine {
    private mutating func receive(
        _ result: Result<SourceValue, CredentialFailure>, from flight: Flight, at now: HostTime,
        _ actions: inout [Action]
    ) {
        do throws(CredentialFailure) {
            var value = try result.get()
            if case .after(let length) = value.expiry {
                // `expires_in` counts from the issue, which was no earlier than the question.
                value.expiry = .after(length.minus(now.boot.minus(flight.started)))
            }
            notice(value, at: now, &actions)
            let fetched = try Credential(
                value, as: spec, generation: generation &+ 1, at: now, policy: policy, jitter: generator.fraction(),
                isStaggered: mints == 0 || failures >= failuresOfAnOutage)
            try accept(fetched, from: flight, at: now, &actions)
        } catch {
            fail(error, from: flight, at: now, &actions)
        }
        if sourceIsChanged, flight.isOutdated { readAgain(at: now) }
    }

    /// Judged as every other answer. One that has ended meanwhile is left aside, without a word: who kept it has told.
    private mutating func restore(_ value: SourceValue, at now: HostTime, _ actions: inout [Action]) {
        guard current == nil, upcoming == nil, mints == 0,
            let restored = try? Credential(
                value, as: spec, generation: generation &+ 1, at: now, policy: policy, jitter: generator.fraction()),
            restored.isUsable(at: now)
        else { return }
        generation &+= 1
        take(restored, at: now)
        actions.append(.report(.restored(generation: generation, life: restored.schedule.life)))
    }

    /// A file rewritten a thousand times a second is read ten times a second.
    private mutating func readAgain(at now: HostTime) {
        let pause = Duration.milliseconds(100).nanoseconds
        earliestFetch = min(earliestFetch, max(now.boot, lastStart.plus(pause)))
        rest = min(rest, earliestFetch)
    }

    private mutating func accept(
        _ fetched: Credential, from flight: Flight, at now: HostTime, _ actions: inout [Action]
    ) throws(CredentialFailure) {
        if let held = [upcoming, current].compactMap(\.self).first(where: { $0.secret.isEqual(to: fetched.secret) }) {
            if rejection.isActive(at: now), held.generation == current?.generation {
                // One that was asked before the refusal may have read what was there before it as well.
                if !flight.isOutdated, spec.kind == .key || spec.source.isAuthoritative {
                    rejection.isRenewalDue = false
                }
                throw CredentialFailure(
                    .unchanged,
                    "the source still returns the value that the upstream rejected; replace it at the source")
            }
            return try confirm(held, by: fetched, from: flight, at: now, &actions)
        }
        // Two caches behind one name may hold tokens of different age. The longer one is kept; but a file is the truth, a
        // value that was refused is worth nothing, and one made of a file that was replaced may be of another identity.
        let isOfChange = sourceIsChanged && !flight.isOutdated
        if let current, current.isUsable(at: now), !spec.source.isAuthoritative, !rejection.isActive(at: now),
            !isOfChange,
            fetched.expires.remaining(at: now) < current.expires.remaining(at: now)
        {
            throw CredentialFailure(
                .unchanged, "the source returned a token that ends before the one held; the one held stays in use")
        }
        generation &+= 1
        mints &+= 1
        if fetched.schedule.start.isReached(at: now) {
            take(fetched, at: now)
        } else {
            upcoming = fetched
            rejection.isRenewalDue = false
        }
        actions.append(.report(.received(generation: generation, life: fetched.schedule.life)))
        succeed(with: fetched, from: flight, at: now, &actions)
    }

    private mutating func take(_ fetched: Credential, at now: HostTime) {
        current = fetched
        upcoming = nil
        unmetDemand = nil
        rejection.valueReplaced(at: now)
    }

    /// The value held came again. That is good news only if it lives longer for it.
    private mutating func confirm(
        _ held: Credential, by fetched: Credential, from flight: Flight, at now: HostTime, _ actions: inout [Action]
    ) throws(CredentialFailure) {
        let (old, new) = (held.schedule.expiry, fetched.schedule.expiry)
        // A later boot-time end alone shows nothing if both tell a date: the wall clock may have stepped back. Where one
        // tells none (a length; a value kept from before a restart), there is nothing else to go by.
        let livesLonger = old.wall == .max || new.wall == .max ? new.boot >= old.boot : new.wall > old.wall
        guard livesLonger else {
            throw CredentialFailure(
                .unchanged,
                held.isUsable(at: now)
                    ? "the source returned the same token again, with the same end; it is asked again before that"
                    : "the source returned the same token again, which has expired; see that the source renews it")
        }
        if held.generation == upcoming?.generation {
            upcoming = held.extended(by: fetched)
        } else {
            current = held.extended(by: fetched)
        }
        succeed(with: fetched, from: flight, at: now, &actions)
    }

    private mutating func succeed(
        with fetched: Credential, from flight: Flight, at now: HostTime, _ actions: inout [Action]
    ) {
        if !flight.isOutdated { sourceIsChanged = false }
        if isFailing { actions.append(.report(.recovered(failures: failures))) }
        isFailing = false
        failure = nil
        failedAt = nil
        failures = 0
        wantedLife = 0
        earliestFetch = now.boot.plus(Duration.seconds(1).nanoseconds)
        rest = now.boot.plus(fetched.schedule.floor)
    }

    private mutating func fail(
        _ failure: CredentialFailure, from flight: Flight?, at now: HostTime, _ actions: inout [Action]
    ) {
        if flight?.isOutdated == true, failure.kind != .timedOut {
            // It may have read what was there before the change or the refusal: not held against the source.
            earliestFetch = now.boot
            rest = now.boot
            return
        }
        if failure.kind == .unchanged { sourceIsChanged = false }
        failures += 1
        self.failure = failure
        failedAt = now
        wantedLife = 0
        let delay = backOff.delay(failures: failures, jitter: generator.fraction(), retryAfter: failure.retryAfter)
        earliestFetch = now.boot.plus(delay)
        rest = earliestFetch
        let held = upcoming ?? current
        if failure.kind == .unchanged, let held, held.isUsable(at: now) {
            // The source renews when it renews: asked some more times before the end, not every few seconds; and one
            // that was asked early, for the sake of the other hosts, not before the window that all renew in.
            let remaining = held.expires.remaining(at: now)
            let window = min(policy.longestLead.nanoseconds, (held.schedule.life ?? 0) / 3)
            let early = rejection.isActive(at: now) ? 0 : remaining.minus(window)
            rest = max(rest, now.boot.plus(max(min(held.schedule.floor, remaining / 3), early)))
        }
        // The same token once more is the manner of many sources, and news only when time runs out.
        let isQuiet = failure.kind == .unchanged && held.map { !$0.schedule.mandatory.isReached(at: now) } ?? false
        if !isFailing, !isQuiet {
            isFailing = true
            actions.append(.report(.failing(failure, usable: current?.isUsable(at: now) ?? false)))
        }
    }

    private mutating func notice(_ value: SourceValue, at now: HostTime, _ actions: inout [Action]) {
        let token = value.secret.withExposedBytes { JSONWebToken($0) }
        let seen = ClockSkew(value, token: token, at: now)
        let difference = (seen?.offset ?? 0).minus(skew?.offset ?? 0)
        if (seen == nil) != (skew == nil) || difference.magnitude > 4 * ClockSkew.tolerance.magnitude {
            actions.append(.report(.skew(seen)))
        }
        skew = seen
    }

    private mutating func reject(at now: HostTime, _ actions: inout [Action]) {
        let renews = rejection.record(at: now, cooldown: cooldown)
        if renews {
            flight?.isOutdated = true
            // The floor is for renewals that nobody needs; the back-off of a source that fails stands.
            if failure == nil || failure?.kind == .unchanged {
                earliestFetch = now.boot
                rest = now.boot
            }
        }
        actions.append(.report(.rejected(generation: current?.generation ?? generation, renews: renews)))
    }
}

// MARK: - What happens next

extension CredentialMachine {
    private mutating func settle(at now: HostTime, _ actions: inout [Action]) {
        if let flight, now.boot >= flight.limit {
            self.flight = nil
            actions.append(.abandonFetch(flight: flight.id))
            let limit = ReadableDuration(spec.source.flightLimit.nanoseconds)
            fail(
                CredentialFailure(
                    .timedOut,
                    "the source did not answer within \(limit); see whether a file it reads lies on a file system that hangs"
                ),
                from: flight, at: now, &actions)
        }
        if let upcoming, upcoming.schedule.start.isReached(at: now) {
            // A step of the clock may have passed its end as well: then it is not worth the value that serves.
            if !upcoming.isUsable(at: now), current?.isUsable(at: now) ?? false {
                self.upcoming = nil
            } else {
                take(upcoming, at: now)
            }
        }
        if let held = upcoming ?? current, !lacksLife(held, at: now) { wantedLife = 0 }
        if flight == nil, needsFetch(at: now), now.boot >= nextFetch(at: now) {
            fetches &+= 1
            lastStart = now.boot
            flight = Flight(id: fetches, started: now.boot, limit: now.boot.plus(spec.source.flightLimit.nanoseconds))
            actions.append(.startFetch(flight: fetches))
        }
        let isUsable = current?.isUsable(at: now) ?? false
        if wasUsable, !isUsable { actions.append(.report(isWanted(at: now) ? .expired : .lapsed)) }
        wasUsable = isUsable

        let snapshot = snapshot(at: now)
        if snapshot != published {
            published = snapshot
            actions.append(.publish(snapshot))
        }
        let next = nextEvent(at: now)
        // The two clocks are read one after the other and drift by nanoseconds: not worth a new timer.
        if next == nil ? timer != nil : timer.map({ $0.minus(next ?? 0).magnitude > 1_000_000 }) ?? true {
            timer = next
            actions.append(.setTimer(next))
        }
    }

    /// When the source may be asked again, on the boot clock.
    private func nextFetch(at now: HostTime) -> Int64 {
        guard let held = upcoming ?? current else { return earliestFetch }
        return max(earliestFetch, min(rest, now.boot.plus(held.expires.remaining(at: now))))
    }

    private func needsFetch(at now: HostTime) -> Bool {
        if rejection.isActive(at: now), rejection.isRenewalDue { return true }
        guard let held = upcoming ?? current else { return isWanted(at: now) }
        if sourceIsChanged { return true }
        if lacksLife(held, at: now) { return true }
        return held.schedule.advisory.isReached(at: now) && isWanted(at: now)
    }

    /// Whether a caller asked for more life than is left, and a new value would have as much.
    private func lacksLife(_ held: Credential, at now: HostTime) -> Bool {
        held.expires.remaining(at: now) < wantedLife && held.canLast(wantedLife)
    }

    /// Whether somebody asked during the last whole life; a demand that was not met counts for a minute at least.
    private func isWanted(at now: HostTime) -> Bool {
        if spec.prefetch { return true }
        if let unmetDemand, now.boot.minus(unmetDemand) < Duration.seconds(60).nanoseconds { return true }
        guard let lastInterest else { return false }
        let life = (upcoming ?? current)?.schedule.life ?? Duration.seconds(600).nanoseconds
        return now.boot.minus(lastInterest) < life
    }

    /// The next moment of the boot clock at which something changes by itself.
    private func nextEvent(at now: HostTime) -> Int64? {
        var moments: [Int64] = []
        func consider(_ deadline: HostTime) {
            let remaining = deadline.remaining(at: now)
            if remaining > 0, deadline != .never { moments.append(now.boot.plus(remaining)) }
        }
        if let flight {
            moments.append(flight.limit)
        } else if needsFetch(at: now) {
            moments.append(nextFetch(at: now))
        } else if let held = upcoming ?? current {
            consider(held.schedule.advisory)
        }
        if let upcoming { consider(upcoming.schedule.start) }
        if let current { consider(current.schedule.expiry) }
        return moments.min()
    }

    private func snapshot(at now: HostTime) -> CredentialSnapshot {
        let phase: CredentialSnapshot.Phase
        let isUsable = current?.isUsable(at: now) ?? false
        let needsFetch = needsFetch(at: now)
        let nextFetch = nextFetch(at: now)
        if flight != nil {
            phase = .fetching
        } else if let upcoming {
            phase = .backingOff(until: upcoming.schedule.start.boot)
        } else if nextFetch > now.boot, fetches > 0, needsFetch || (!isUsable && failure != nil) {
            phase = .backingOff(until: nextFetch)
        } else {
            phase = isUsable ? .fresh : .idle
        }
        var next: HostTime?
        if flight == nil {
            if needsFetch {
                next = HostTime(wall: .max, boot: nextFetch)
            } else if let held = upcoming ?? current, held.schedule.advisory != .never, isWanted(at: now) {
                next = held.schedule.advisory
            }
        }
        return CredentialSnapshot(
            name: spec.name, kind: spec.kind, sourceKind: spec.source.kind, credential: current, phase: phase,
            failure: failure, failedAt: failedAt, failures: failures, rejectedUntil: rejection.until,
            nextRenewal: next, generation: generation, mints: mints, fetches: fetches, skew: skew)
    }
}
