// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// One credential's whole loop on a clock moved by hand: the machine that the agent runs, a scripted source, timers and
/// deliveries in the order of their moments. No thread, no waiting.
struct VirtualHost {
    enum Answer {
        case token(SourceValue)
        case failure(CredentialFailure)
        /// Never answers.
        case hang
    }

    /// The wall clock's lead over the boot clock, nanoseconds: steps change it.
    var wallOffset: Int64
    private(set) var boot: Int64 = 0
    private(set) var machine: CredentialMachine
    /// The snapshot in force, as a loop would hold it.
    private(set) var snapshot: CredentialSnapshot?
    private(set) var changes: [CredentialChange] = []
    private(set) var published = 0
    /// Boot-clock moments at which the source was asked.
    private(set) var asked: [Int64] = []
    private(set) var violations: [String] = []
    /// The same questions, with what came of each and what made it come early.
    private(set) var asks: [Ask] = []

    /// What may have the source asked before its time.
    enum Force: Hashable {
        case rejection, change, step, life
    }

    struct Ask {
        let flight: UInt64
        let at: Int64
        /// Since the question before.
        let forces: Set<Force>
        /// When the answer was judged, or given up; the failure it was; the floor of the token held then.
        var end: Int64?
        var failure: CredentialFailure?
        var floor: Int64?
        /// While it was under way.
        var forcesMeanwhile: Set<Force> = []
    }

    /// Boot-clock moments of refusals that were said to renew.
    private(set) var renewals: [Int64] = []
    private var forces: Set<Force> = []
    /// A file was replaced that the source reads or is made of, and what it gives since then has not come; and whether the
    /// question under way was asked after that.
    private var isChanged = false
    private var asksOfChange = false

    /// Called when the source is asked: the number of the fetch from 1, the time. Answers after the delay.
    var source: (Int, HostTime) -> (delay: Int64, Answer)

    private var timer: Int64?
    private var instant = 0
    private var deliveries: [(at: Int64, flight: UInt64, answer: Answer)] = []
    private var flying: UInt64?
    private var flyingSince: Int64 = 0
    /// When each value that the source gave ends by what was said of it, whatever the machine made of that.
    private var ends: [String: HostTime] = [:]
    private var starts: [String: HostTime] = [:]
    private var heldEnd: HostTime?
    private var heldStart: HostTime?

    /// 2026-11-21T08:00:00Z
    static let epoch = Int64(1_795_248_000) * 1_000_000_000

    init(
        _ spec: CredentialSpec, seed: UInt64 = 1, wall: Int64 = VirtualHost.epoch,
        source: @escaping (Int, HostTime) -> (delay: Int64, Answer)
    ) {
        machine = CredentialMachine(spec, seed: seed)
        wallOffset = wall
        self.source = source
        send(.start)
    }

    var now: HostTime { HostTime(wall: boot.plus(wallOffset), boot: boot) }
    var isUsable: Bool { snapshot?.isUsable(at: now) ?? false }
    var value: String? { snapshot?.credential.map { TestToken.text($0.secret) } }

    mutating func send(_ event: CredentialMachine.Event) {
        note(event)
        let shown = snapshot
        // One that was taken while the value was refused may begin now, and end sooner.
        let isAwaited = machine.upcoming != nil
        // The answer may be followed by the next question at once.
        let wasOfChange = asksOfChange
        var ended: UInt64?
        if case .fetched(let flight, _) = event { ended = flight }
        for action in machine.handle(event, at: now) {
            switch action {
            case .startFetch(let flight):
                if flying != nil { violations.append("two flights at \(boot)") }
                flying = flight
                flyingSince = boot
                asksOfChange = isChanged
                asked.append(boot)
                asks.append(Ask(flight: flight, at: boot, forces: forces))
                forces = []
                // What by itself asks now was announced for now.
                if case .timer = event, let next = shown?.nextRenewal, next.remaining(at: now) > 1_000_000 {
                    violations.append("asked \(next.remaining(at: now)) ns before the moment shown at \(boot)")
                }
                let (delay, answer) = source(asked.count, now)
                if case .hang = answer { continue }
                deliveries.append((boot.plus(delay), flight, answer))
            case .abandonFetch(let flight):
                if flying != flight { violations.append("a flight abandoned that does not fly") }
                flying = nil
                ended = flight
                deliveries.removeAll { $0.flight == flight }
            case .setTimer(let moment): timer = moment
            case .publish(let new):
                published += 1
                snapshot = new
                let text = new.credential.map { TestToken.text($0.secret) } ?? ""
                (heldStart, heldEnd) = (starts[text], ends[text])
            case .report(let change):
                changes.append(change)
                guard case .rejected(let generation, let renews) = change else { break }
                if case .rejected(generation) = event {} else { violations.append("a late refusal counts at \(boot)") }
                if renews {
                    renewals.append(boot)
                    force(.rejection)
                    // The question under way is followed by another in any case, and that one brings what is new.
                    asksOfChange = false
                }
            }
        }
        if let ended { end(ended) }
        if ended != nil, !isAwaited, let old = shown?.credential, let new = snapshot?.credential,
            old.generation != new.generation,
            old.isUsable(at: now), shown?.isRejected(at: now) == false, !machine.spec.source.isAuthoritative,
            !wasOfChange,
            new.expires.remaining(at: now) < old.expires.remaining(at: now)
        {
            violations.append("a value that ends sooner took the place of a good one at \(boot)")
        }
        if ended != nil, wasOfChange, [nil, .unchanged].contains(snapshot?.failure?.kind) { isChanged = false }
        // Only a newer value, or its own end, takes a value away.
        if shown?.isUsable(at: now) == true, snapshot?.isUsable(at: now) == false,
            shown?.generation == snapshot?.generation
        {
            violations.append("a usable value is lost at \(boot)")
        }
        check()
    }

    private mutating func note(_ event: CredentialMachine.Event) {
        switch event {
        case .sourceChanged:
            force(.change)
            (isChanged, asksOfChange) = (true, false)
        case .clockStepped: force(.step)
        case .demand(let life) where life > 0: force(.life)
        default: break
        }
    }

    private mutating func force(_ force: Force) {
        forces.insert(force)
        if flying != nil, !asks.isEmpty { asks[asks.count - 1].forcesMeanwhile.insert(force) }
    }

    private mutating func end(_ flight: UInt64) {
        guard let place = asks.lastIndex(where: { $0.flight == flight }) else { return }
        asks[place].end = boot
        asks[place].failure = snapshot?.failure
        // Of whichever of the two the answer was about.
        asks[place].floor = [machine.upcoming, machine.current].compactMap { $0?.schedule.floor }.min()
    }

    /// The host sleeps: both clocks go on, and nothing happens until it wakes.
    mutating func suspend(_ nanoseconds: Int64, told: Bool = true) {
        boot = boot.plus(nanoseconds)
        if told { send(.clockStepped) }
    }

    /// Lets time pass, with everything that happens in it.
    mutating func run(_ nanoseconds: Int64) {
        let end = boot.plus(nanoseconds)
        while true {
            let delivery = deliveries.indices.min { deliveries[$0].at < deliveries[$1].at }
            let next = min(
                delivery.map { max(deliveries[$0].at, boot) } ?? .max, timer.map { max($0, boot) } ?? .max)
            guard next <= end else { break }
            // Thousands of events without any time between them: a loop that spins.
            instant = next == boot ? instant + 1 : 0
            if instant > 2000 {
                violations.append("a spin at \(boot)")
                break
            }
            boot = next
            if let delivery, deliveries[delivery].at <= next {
                let due = deliveries.remove(at: delivery)
                flying = nil
                switch due.answer {
                case .token(let value):
                    learn(value)
                    send(.fetched(flight: due.flight, .success(value)))
                case .failure(let failure): send(.fetched(flight: due.flight, .failure(failure)))
                case .hang: break
                }
            } else {
                timer = nil
                send(.timer)
            }
            if violations.count > 10 { break }
        }
        boot = end
        checkValue()
    }

    /// Time passes with a caller every `interval`, who uses what there is or demands it.
    ///
    /// - Returns: how often nothing usable was there.
    @discardableResult
    mutating func run(_ nanoseconds: Int64, callingEvery interval: Int64) -> Int {
        let end = boot.plus(nanoseconds)
        var unserved = 0
        while boot < end {
            call()
            if !isUsable { unserved += 1 }
            run(min(interval, end - boot))
        }
        return unserved
    }

    mutating func call() {
        send(isUsable ? .used : .demand(life: 0))
    }

    mutating func stepWall(by nanoseconds: Int64, told: Bool = true) {
        wallOffset = wallOffset.plus(nanoseconds)
        force(.step)
        if told { send(.clockStepped) }
    }

    /// The invariants, after every event.
    private mutating func check() {
        if let flight = machine.flight, boot > flight.limit { violations.append("a flight past its limit at \(boot)") }
        if (machine.flight != nil) != (flying != nil) { violations.append("flights disagree at \(boot)") }
        // Idle means idle, and never a timer in the past that would spin.
        if let timer, timer < boot - 1_000_000 { violations.append("a timer in the past at \(boot)") }
        if flying != nil, timer == nil { violations.append("a flight without a limit timer at \(boot)") }
        // What is shown is what is in force.
        if snapshot?.credential?.generation != machine.current?.generation {
            violations.append("the snapshot shows another value at \(boot)")
        }
        if (snapshot?.phase == .fetching) != (flying != nil) { violations.append("the phase is wrong at \(boot)") }
        checkValue()
    }

    private mutating func checkValue() {
        guard let snapshot, snapshot.isUsable(at: now) else { return }
        if heldEnd?.isReached(at: now) == true { violations.append("an expired value is usable at \(boot)") }
        if let heldStart, !heldStart.isReached(at: now) {
            violations.append("a value is usable before it begins at \(boot)")
        }
    }

    /// A token's own claims count from the first time it was seen, lengths told beside it from the question. What is not held
    /// is new when it comes: nobody keeps what he has refused, or let go of.
    private mutating func learn(_ value: SourceValue) {
        let text = TestToken.text(value.secret)
        let claims = value.secret.withExposedBytes { JSONWebToken($0) }
        var end = HostTime(wall: claims?.expires ?? .max, boot: .max)
        if let expires = claims?.expires, let issued = claims?.issued { end.boot = boot.plus(expires.minus(issued)) }
        switch value.expiry {
        case .at(let wall): end.wall = min(end.wall, wall)
        case .after(let length): end.boot = min(end.boot, flyingSince.plus(length))
        case nil:
            if claims?.expires == nil, let age = machine.spec.effectiveMaxAge { end.boot = boot.plus(age.nanoseconds) }
        }
        let isHeld = [machine.current, machine.upcoming].contains { $0.map { TestToken.text($0.secret) } == text }
        if claims != nil, isHeld, ends[text] != nil { return }
        // An `iat` ahead says that this host's clock is behind, and as much of `nbf` is no reason to wait.
        if let begin = claims?.notBefore {
            let length = begin.minus(max(now.wall, claims?.issued ?? now.wall))
            starts[text] = length > 0 ? HostTime(wall: begin, boot: boot.plus(length)) : nil
        }
        ends[text] = end
    }
}
