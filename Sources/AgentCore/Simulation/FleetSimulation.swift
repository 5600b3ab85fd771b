// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A fleet of hosts and the one issuer that all of them ask, in virtual time: every host runs the `CredentialMachine` that
/// the agent runs, with its policy and its back-off as they ship, and differs from the others in its seed alone.
///
/// All hosts start in the same moment and keep a token warm. Later the issuer is gone for a while. It hands out no more
/// than `Issuer.limit` tokens in a second and answers 429 beyond, at any time.
struct FleetSimulation {
    struct Plan {
        var hosts = 100_000
        var seed: UInt64 = 1
        /// Of a token.
        var life = Duration.seconds(300)
        /// From the common start on.
        var outage = Duration.seconds(3600)..<Duration.seconds(5400)
        var end = Duration.seconds(9000)
        /// Tokens a second that the issuer hands out, as a multiple of what the fleet needs on average.
        var limitOverMean = 1.95
        /// From the question to the answer.
        var answerTime = Duration.milliseconds(50)
    }

    /// What happened in one second.
    struct Second {
        var mints = 0
        /// Questions answered 429, and questions that nobody answered.
        var limited = 0
        var unanswered = 0
        /// Hosts that held nothing usable at its end.
        var without = 0
        /// Hosts whose token ended in it before another had come.
        var lost = 0
    }

    let plan: Plan
    let limit: Int
    private(set) var seconds: [Second]
    private var machines: [CredentialMachine] = []
    private var timers: [Int64]
    private var usableUntil: [Int64]
    private var pendingFlights: [UInt64]
    private var queue = EventQueue()
    private var without = 0
    private var serial: UInt64 = 0

    init(_ plan: Plan) {
        self.plan = plan
        // A token is renewed between two thirds and three quarters of its life.
        let perSecond = Double(plan.hosts) / (Double(plan.life.nanoseconds) / 1e9 * (2.0 / 3 + 3.0 / 4) / 2)
        limit = Int(perSecond * plan.limitOverMean)
        seconds = Array(repeating: Second(), count: Int(plan.end.nanoseconds / 1_000_000_000) + 1)
        timers = Array(repeating: .max, count: plan.hosts)
        usableUntil = Array(repeating: 0, count: plan.hosts)
        pendingFlights = Array(repeating: 0, count: plan.hosts)
        var spec = CredentialSpec(name: "token", source: .exec(ExecSpec(command: ["issue"])))
        spec.prefetch = true
        var seeds = SeededGenerator(seed: plan.seed)
        for _ in 0..<plan.hosts { machines.append(CredentialMachine(spec, seed: seeds.next())) }
    }

    /// Runs from the common start to the end.
    mutating func run() {
        without = plan.hosts
        for host in machines.indices { send(.start, to: host, at: 0) }
        let end = plan.end.nanoseconds
        var second = 0
        while let event = queue.next(), event.at < end {
            while Int64(second + 1) * 1_000_000_000 <= event.at {
                seconds[second].without = without
                second += 1
            }
            let host = Int(event.host)
            switch event.kind {
            case .timer:
                guard timers[host] == event.at else { continue }
                timers[host] = .max
                send(.timer, to: host, at: event.at)
            case .question: answer(host, at: event.at)
            case .expiry:
                guard usableUntil[host] == event.at else { continue }
                without += 1
                seconds[second].lost += 1
            }
        }
        while second < seconds.count {
            seconds[second].without = without
            second += 1
        }
    }

    // MARK: The issuer

    /// The issuer takes up a host's question, and the host has its answer.
    private mutating func answer(_ host: Int, at now: Int64) {
        let second = Int(now / 1_000_000_000)
        let flight = pendingFlights[host]
        let isDown = now >= plan.outage.lowerBound.nanoseconds && now < plan.outage.upperBound.nanoseconds
        guard !isDown else {
            seconds[second].unanswered += 1
            let failure = CredentialFailure(.unreachable, "the issuer does not answer")
            return send(.fetched(flight: flight, .failure(failure)), to: host, at: now)
        }
        guard seconds[second].mints < limit else {
            seconds[second].limited += 1
            let failure = CredentialFailure(.refused, "the issuer answered 429", retryAfter: .seconds(1))
            return send(.fetched(flight: flight, .failure(failure)), to: host, at: now)
        }
        seconds[second].mints += 1
        serial += 1
        var token = ByteBuffer(capacity: 16)
        token.append(hexadecimal: serial)
        let value = SourceValue(secret: Secret(copying: token.readable), expiry: .after(plan.life.nanoseconds))
        let end = now + plan.life.nanoseconds
        if usableUntil[host] <= now { without -= 1 }
        usableUntil[host] = end
        queue.add(.init(at: end, host: UInt32(host), kind: .expiry))
        send(.fetched(flight: flight, .success(value)), to: host, at: now)
    }

    // MARK: A host

    private mutating func send(_ event: CredentialMachine.Event, to host: Int, at now: Int64) {
        for action in machines[host].handle(event, at: HostTime(wall: 1_795_248_000_000_000_000 + now, boot: now)) {
            switch action {
            case .startFetch(let flight):
                pendingFlights[host] = flight
                queue.add(.init(at: now + plan.answerTime.nanoseconds, host: UInt32(host), kind: .question))
            case .setTimer(let moment):
                timers[host] = moment.map { max($0, now) } ?? .max
                if let moment { queue.add(.init(at: max(moment, now), host: UInt32(host), kind: .timer)) }
            case .abandonFetch, .publish, .report: break
            }
        }
    }
}
