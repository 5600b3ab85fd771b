// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// All credentials of the agent: runs what their machines decide.
///
/// ## Concurrency
/// The actor's state lives on the control loop. Callers on other loops never wait for it: they post what they need
/// (`demand`, `used`, `rejected`) and read the snapshots that it publishes to them. A fetch is a task of this actor; no
/// state is locked while it waits, and every result is judged by the machine, which knows whether it is still awaited.
///
/// Credentials with the same source are one entry under several names (`CredentialGroup`).
actor CredentialEngine: LoopBound {
    nonisolated let loop: EventLoop

    private let clock: any HostClock
    private let seed: UInt64
    private let makeSource: @Sendable (CredentialSpec) -> any CredentialSource
    private let store: (any CredentialStore)?
    private let publish: @Sendable (CredentialSnapshot) -> Void
    private let report: @Sendable (String, CredentialChange) -> Void

    private struct Entry {
        var group: CredentialGroup
        var machine: CredentialMachine
        let source: any CredentialSource
        var timer: Int64?
        var fetch: Task<Void, Never>?
        /// Questions to the source that have not come back, the abandoned ones included.
        var questions = 0
        var snapshot: CredentialSnapshot?
        /// The newest generation on its way to the store, and who brings it there.
        var keptGeneration: UInt64 = 0
        var keeping: Task<Void, Never>?
        var isKeepingTold = false
        let grant: RefreshGrant
        /// The change of `grant` that the store has, and who brings what was kept.
        var keptGrant = 0
        var isGrantTold = false
        var restoring: Task<Void, Never>?
    }

    /// By a number that no other entry has had, so that the fetch of one before a reload is known as such.
    private var entries: [UInt64: Entry] = [:]
    private var numbers: [String: UInt64] = [:]
    private var lastNumber: UInt64 = 0
    private let timekeeper: Parker
    private(set) var isStopped = false
    /// Fetches whose source has not come back, those included that were abandoned; and who waits for the last.
    private var fetching = 0
    private let ending: Parker

    /// - Parameters:
    ///   - seed: of all jitter; to differ from host to host and from start to start.
    ///   - makeSource: called once for each source that is configured anew.
    ///   - store: where values are kept across restarts that are to be kept.
    ///   - publish: called on the control loop with every new snapshot; hands it to the loops.
    ///   - report: called on the control loop with every change worth a line in the log.
    init(
        on loop: EventLoop, clock: any HostClock = SystemClock(), seed: UInt64,
        makeSource: @escaping @Sendable (CredentialSpec) -> any CredentialSource,
        store: (any CredentialStore)? = nil,
        publish: @escaping @Sendable (CredentialSnapshot) -> Void,
        report: @escaping @Sendable (String, CredentialChange) -> Void
    ) {
        self.loop = loop
        self.clock = clock
        self.seed = seed
        self.makeSource = makeSource
        self.store = store
        self.publish = publish
        self.report = report
        timekeeper = Parker(on: loop)
        ending = Parker(on: loop)
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

    /// An upstream refused this generation of what was published with this lineage: generations of what a reload has put
    /// under the same name count anew.
    nonisolated func rejected(lineage: UInt64, generation: UInt64) {
        loop.post {
            self.assumeIsolated { $0.handle(.rejected(generation: generation), for: lineage) }
        }
    }

    /// A file this credential is read from was replaced.
    nonisolated func sourceChanged(_ name: String) {
        post(.sourceChanged, to: name)
    }

    /// The wall clock was set, or the host woke up.
    nonisolated func clockStepped() {
        loop.post {
            self.assumeIsolated { engine in
                for number in engine.entries.keys { engine.handle(.clockStepped, for: number) }
            }
        }
    }

    private nonisolated func post(_ event: CredentialMachine.Event, to name: String) {
        loop.post {
            self.assumeIsolated { engine in
                if let number = engine.numbers[name] { engine.handle(event, for: number) }
            }
        }
    }

    // MARK: On the control loop

    /// Takes over a configuration. A credential whose source and rules have not changed keeps its value, its generation
    /// and its flight; of the others, generations go on counting, so that a late refusal of an old value is known as late.
    func configure(_ specs: [CredentialSpec]) {
        var kept: [UInt64: Entry] = [:]
        var new: [UInt64] = []
        for group in CredentialGroup.groups(specs) {
            let old = group.members.compactMap { numbers[$0.name] }
            let same = entries.first { $0.value.machine.spec.judgesAs(group.spec) && kept[$0.key] == nil }
            if let (number, held) = same {
                var entry = held
                entry.group = group
                entry.machine.adopt(group.spec)
                kept[number] = entry
                continue
            }
            lastNumber += 1
            new.append(lastNumber)
            // Another judgement of the same source is no new login.
            let former = entries.values.first { $0.machine.spec.source == group.spec.source }
            var entry = Entry(
                group: group,
                machine: CredentialMachine(
                    group.spec, lastGeneration: old.compactMap { entries[$0]?.snapshot?.generation }.max() ?? 0,
                    seed: seed ^ Self.hash(group.spec.name)),
                source: makeSource(group.spec), grant: former?.grant ?? RefreshGrant())
            entry.keptGrant = former?.keptGrant ?? 0
            if group.spec.source.refreshes, let fetch = former?.fetch { entry.restoring = Task { await fetch.value } }
            kept[lastNumber] = entry
        }
        for (number, entry) in entries where kept[number] == nil {
            if !entry.machine.spec.source.refreshes { entry.fetch?.cancel() }
        }
        entries = kept
        numbers = [:]
        for (number, entry) in kept {
            for member in entry.group.members { numbers[member.name] = number }
        }
        for number in new { restore(number) }
        for number in kept.keys.sorted() { handle(.start, for: number) }
    }

    /// What `/-/status` shows: the snapshot of every credential, by name.
    func snapshots() -> [CredentialSnapshot] {
        entries.flatMap { number, entry in entry.snapshot.map { Self.snapshots(of: $0, entry.group, number) } ?? [] }
            .sorted { $0.name < $1.name }
    }

    private static func snapshots(
        of snapshot: CredentialSnapshot, _ group: CredentialGroup, _ number: UInt64
    ) -> [CredentialSnapshot] {
        var snapshot = snapshot
        snapshot.lineage = number
        return group.members.map { snapshot.named($0.name, kind: $0.kind) }
    }

    /// Keeps the timers until `stop()`. One task runs it.
    func run() async {
        while !isStopped {
            let now = clock.now()
            for (number, entry) in entries {
                if let timer = entry.timer, timer <= now.boot {
                    entries[number]?.timer = nil
                    handle(.timer, for: number)
                }
            }
            // The loop's deadlines stand still while the host sleeps. That is no harm: whoever uses a value judges it
            // by the clocks, and the clock watch tells of the wake-up.
            let next = entries.values.compactMap(\.timer).min()
            let deadline = next.map { SystemClock.monotonic().plus($0.minus(clock.now().boot)) }
            _ = await timekeeper.park(until: deadline)
        }
    }

    /// Ends every fetch, and waits for what is on its way to the store. A command that does not end when it is asked to
    /// is killed while this waits; a read of a file that hangs is left behind.
    func stop() async {
        isStopped = true
        // An answer that is lost may be a refresh token that the issuer gives once.
        for entry in entries.values where !entry.machine.spec.source.refreshes { entry.fetch?.cancel() }
        timekeeper.unpark()
        let patience = ChildCommand.standardGrace + .seconds(1)
        let deadline = SystemClock.monotonic().plus(patience.nanoseconds)
        while fetching > 0, SystemClock.monotonic() < deadline { _ = await ending.park(until: deadline) }
        for entry in entries.values { entry.fetch?.cancel() }
        for keeping in entries.values.compactMap(\.keeping) { await keeping.value }
    }

    private func handle(_ event: CredentialMachine.Event, for number: UInt64) {
        guard !isStopped, var entry = entries[number] else { return }
        let actions = entry.machine.handle(event, at: clock.now())
        for action in actions {
            switch action {
            case .startFetch(let flight): entry.fetch = start(flight, of: number, entry.source)
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
        if case .restored = event { entry.keptGeneration = entry.snapshot?.generation ?? 0 }
        entries[number] = entry
        // Told after the state is in place: who is told may ask at once.
        for action in actions {
            switch action {
            case .publish(let snapshot): Self.snapshots(of: snapshot, entry.group, number).forEach(publish)
            case .report(let change): tell(change, of: entry.group)
            default: break
            }
        }
        keep(number)
    }

    /// A task of its own, since no caller's end may end it. It keeps nothing but the result.
    private func start(_ flight: UInt64, of number: UInt64, _ source: any CredentialSource) -> Task<Void, Never> {
        fetching += 1
        let restoring = entries[number]?.restoring
        return Task(executorPreference: loop) {
            await restoring?.value
            await self.fly(flight, of: number, source)
        }
    }

    private func fly(_ flight: UInt64, of number: UInt64, _ source: any CredentialSource) async {
        let result: Result<SourceValue, CredentialFailure>
        let grant = entries[number]?.grant ?? RefreshGrant()
        entries[number]?.questions += 1
        do throws(CredentialFailure) {
            // A read of a file that hangs cannot be ended. One more at each try would in the end hold every thread there is
            // for what blocks, and with them the files and names that everybody else needs.
            if entries[number]?.questions ?? 1 > 1 { throw Self.isStillAsked }
            result = .success(try await source.fetch(with: grant))
        } catch {
            result = .failure(error)
        }
        entries[number]?.questions -= 1
        // Before the value is in use: what the issuer has exchanged must survive whatever happens from here on.
        await keep(grant)
        fetching -= 1
        ending.unpark()
        // The configuration may have changed meanwhile; then there is no such entry.
        handle(.fetched(flight: flight, result), for: number)
    }

    private static let isStillAsked = CredentialFailure(
        .timedOut,
        "the last question to the source has not come back, and there is none beside it; "
            + "see whether a file it reads lies on a file system that hangs, or what its command waits for"
    )

    // MARK: Across restarts

    /// Brings a refresh token to the store, if it has another. What could not be brought is brought with the next answer.
    private func keep(_ grant: RefreshGrant) async {
        // A reload may have handed it to another entry meanwhile.
        guard let (number, entry) = entries.first(where: { $0.value.grant === grant }), grant.version != entry.keptGrant
        else { return }
        if let reason = grant.takeFarewell() { tell(.refreshRefused(reason), of: entry.group) }
        guard let store, entry.group.spec.isKept else { return }
        let version = grant.version
        do throws(NotKept) {
            try await store.saveRefresh(grant.token, entry.group.spec)
            entries[number]?.keptGrant = version
            entries[number]?.isGrantTold = false
        } catch {
            if entries[number]?.isGrantTold == false { tell(.notKept(error.message), of: entry.group) }
            entries[number]?.isGrantTold = true
        }
    }

    /// Asks the store for what was kept. Meanwhile all goes its way: who asks does not wait for the disk.
    private func restore(_ number: UInt64) {
        guard let entry = entries[number], entry.group.spec.isKept else { return }
        guard let store else {
            return tell(
                .notKept("the value cannot be kept: there is no state folder; set STATE_DIRECTORY or HOME"),
                of: entry.group)
        }
        let (spec, grant, earlier) = (entry.group.spec, entry.grant, entry.restoring)
        if spec.source.refreshes {
            // A fetch waits for this alone: without the refresh token it would log in anew.
            entries[number]?.restoring = Task {
                await earlier?.value
                do throws(NotKept) {
                    if let token = try await store.loadRefresh(spec) { grant.restore(token) }
                } catch {
                    tell(.notKept(error.message), of: entry.group)
                }
            }
        }
        Task {
            do throws(NotKept) {
                if let value = try await store.load(spec, at: clock.now()) { handle(.restored(value), for: number) }
            } catch {
                tell(.notKept(error.message), of: entry.group)
            }
        }
    }

    /// Brings a new value to the store, one after the other.
    private func keep(_ number: UInt64) {
        guard let store, let entry = entries[number], entry.group.spec.isKept,
            let credential = entry.snapshot?.credential, credential.generation != entry.keptGeneration,
            credential.expires != .never
        else { return }
        entries[number]?.keptGeneration = credential.generation
        entries[number]?.keeping = Task {
            await entry.keeping?.value
            do throws(NotKept) {
                try await store.save(credential, entry.group.spec, at: clock.now())
                entries[number]?.isKeepingTold = false
            } catch {
                if entries[number]?.isKeepingTold == false { tell(.notKept(error.message), of: entry.group) }
                entries[number]?.isKeepingTold = true
            }
        }
    }

    private func tell(_ change: CredentialChange, of group: CredentialGroup) {
        report(group.members.map(\.name).joined(separator: ", "), change)
    }

    /// FNV-1a: credentials of one host do not share their jitter.
    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
