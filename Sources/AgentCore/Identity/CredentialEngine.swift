// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// All credentials of the agent: runs what their machines decide.
///
/// ## Concurrency
/// The actor's state lives on the control loop. Callers on other loops never wait for it: they post what they need
/// (`demand`, `used`, `rejected`) and read the snapshots that it publishes to them. A fetch is a task of this actor; no
/// state is locked while it waits, and every result is judged by the machine, which knows whether it is still awaited.
actor CredentialEngine: LoopBound {
    nonisolated let loop: EventLoop

    private let clock: any HostClock
    private let seed: UInt64
    private let makeSource: @Sendable (CredentialSpec) -> any CredentialSource
    private let publish: @Sendable (CredentialSnapshot) -> Void
    private let report: @Sendable (String, CredentialChange) -> Void

    private struct Entry {
        /// Differs from that of an entry of the same name before a reload, whose fetches may still come in.
        let id: UInt64
        var machine: CredentialMachine
        let source: any CredentialSource
        var timer: Int64?
        var fetch: Task<Void, Never>?
        var snapshot: CredentialSnapshot?
    }

    private var entries: [String: Entry] = [:]
    private var nextID: UInt64 = 0
    private let timekeeper: Parker
    private var isStopped = false

    /// - Parameters:
    ///   - seed: of all jitter; to differ from host to host and from start to start.
    ///   - makeSource: called once for each credential that is configured anew.
    ///   - publish: called on the control loop with every new snapshot; hands it to the loops.
    ///   - report: called on the control loop with every change worth a line in the log.
    init(
        on loop: EventLoop, clock: any HostClock = SystemClock(), seed: UInt64,
        makeSource: @escaping @Sendable (CredentialSpec) -> any CredentialSource,
        publish: @escaping @Sendable (CredentialSnapshot) -> Void,
        report: @escaping @Sendable (String, CredentialChange) -> Void
    ) {
        self.loop = loop
        self.clock = clock
        self.seed = seed
        self.makeSource = makeSource
        self.publish = publish
        self.report = report
        timekeeper = Parker(on: loop)
    }

    // MARK: From any thread

    /// A caller needs this credential and has none, or falls back to another in its place.
    ///
    /// - Parameter life: nanoseconds that should be left of it.
    nonisolated func demand(_ name: String, life: Int64 = 0) {
        post(.demand(life: life), to: name)
    }

    /// A caller used this credential. To be said once for each snapshot that a loop receives, and not for every request:
    /// a snapshot is published at every turn of a credential's life, so that each life asks again who is interested.
    nonisolated func used(_ name: String, generation: UInt64) {
        post(.used, to: name)
    }

    /// An upstream refused this generation.
    nonisolated func rejected(_ name: String, generation: UInt64) {
        post(.rejected(generation: generation), to: name)
    }

    /// A file this credential is read from was replaced.
    nonisolated func sourceChanged(_ name: String) {
        post(.sourceChanged, to: name)
    }

    /// The wall clock was set, or the host woke up.
    nonisolated func clockStepped() {
        loop.post {
            self.assumeIsolated { engine in
                for name in engine.entries.keys { engine.handle(.clockStepped, for: name) }
            }
        }
    }

    private nonisolated func post(_ event: CredentialMachine.Event, to name: String) {
        loop.post { self.assumeIsolated { $0.handle(event, for: name) } }
    }

    // MARK: On the control loop

    /// Takes over a configuration. A credential whose spec has not changed keeps its value, its generation and its
    /// flight; of the others, generations go on counting, so that a late refusal of an old value is known as late.
    func configure(_ specs: [CredentialSpec]) {
        var kept: [String: Entry] = [:]
        for spec in specs {
            if let entry = entries[spec.name], entry.machine.spec == spec {
                kept[spec.name] = entry
                continue
            }
            let old = entries[spec.name]
            old?.fetch?.cancel()
            nextID += 1
            kept[spec.name] = Entry(
                id: nextID,
                machine: CredentialMachine(
                    spec, lastGeneration: old?.snapshot?.generation ?? 0, seed: seed ^ Self.hash(spec.name)),
                source: makeSource(spec))
        }
        for (name, entry) in entries where kept[name] == nil { entry.fetch?.cancel() }
        entries = kept
        for spec in specs { handle(.start, for: spec.name) }
    }

    /// What `/-/status` shows: the snapshot of every credential, by name.
    func snapshots() -> [CredentialSnapshot] {
        entries.values.compactMap(\.snapshot).sorted { $0.name < $1.name }
    }

    /// Keeps the timers until `stop()`. One task runs it.
    func run() async {
        while !isStopped {
            let now = clock.now()
            for (name, entry) in entries {
                if let timer = entry.timer, timer <= now.boot {
                    entries[name]?.timer = nil
                    handle(.timer, for: name)
                }
            }
            // The loop's deadlines stand still while the host sleeps. That is no harm: whoever uses a value judges it
            // by the clocks, and the clock watch tells of the wake-up.
            let next = entries.values.compactMap(\.timer).min()
            let deadline = next.map { SystemClock.monotonic().plus($0.minus(clock.now().boot)) }
            _ = await timekeeper.park(until: deadline)
        }
    }

    func stop() {
        isStopped = true
        for entry in entries.values { entry.fetch?.cancel() }
        timekeeper.unpark()
    }

    private func handle(_ event: CredentialMachine.Event, for name: String) {
        guard !isStopped, var entry = entries[name] else { return }
        let actions = entry.machine.handle(event, at: clock.now())
        for action in actions {
            switch action {
            case .startFetch(let flight): entry.fetch = start(flight, of: entry)
            case .abandonFetch:
                entry.fetch?.cancel()
                entry.fetch = nil
            case .setTimer(let timer):
                entry.timer = timer
                timekeeper.unpark()
            case .publish(let snapshot): entry.snapshot = snapshot
            case .report: break
            }
        }
        entries[name] = entry
        // Told after the state is in place: who is told may ask at once.
        for action in actions {
            switch action {
            case .publish(let snapshot): publish(snapshot)
            case .report(let change): report(name, change)
            default: break
            }
        }
    }

    /// A task of its own, since no caller's end may end it. It keeps nothing but the result.
    private func start(_ flight: UInt64, of entry: Entry) -> Task<Void, Never> {
        let (source, id, name) = (entry.source, entry.id, entry.machine.spec.name)
        return Task(executorPreference: loop) { await self.fly(flight, source, id, name) }
    }

    private func fly(_ flight: UInt64, _ source: any CredentialSource, _ id: UInt64, _ name: String) async {
        let result: Result<SourceValue, CredentialFailure>
        do throws(CredentialFailure) {
            result = .success(try await source.fetch())
        } catch {
            result = .failure(error)
        }
        // The configuration may have changed meanwhile.
        if entries[name]?.id == id { handle(.fetched(flight: flight, result), for: name) }
    }

    /// FNV-1a: credentials of one host do not share their jitter.
    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
