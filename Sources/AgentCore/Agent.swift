// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The agent: puts the parts together, runs them, takes a new configuration over, and ends them in reverse order.
///
/// The way of a request begins in `Worker` and reads on in `Exchange`; the way of a credential begins in
/// `CredentialEngine`.
///
/// ## Concurrency
/// Lives on the control loop, beside the credential engine. Each worker has a loop and a thread of its own.
actor Agent: LoopBound {
    nonisolated let loop: EventLoop
    private let log: Log
    private let clock: any HostClock
    private let groupLookUps: GroupLookUps
    private let agentUID: UInt32
    private let crowd: EventLoop.Crowd
    private var configuration: Configuration
    /// Of the start: some of it stays in force until the end, whatever is reloaded.
    private let startConfiguration: Configuration
    private let listeners: [ListeningSocket]
    private let engine: CredentialEngine
    private let broadcast = Broadcast()
    private var workers: [Worker] = []
    private var watcher: FileWatcher?
    private var watches: [FileWatcher.Watch] = []
    private var clockWatch: ClockWatch?
    private var plan: GatewayPlan?
    private var chains = ChainBoard()
    private let parker: Parker
    private var isStopping = false
    private var isCutting = false
    private let started: HostTime

    /// What is told from outside while the agent runs.
    enum Event: Sendable {
        /// Serving on these addresses.
        case listening([SocketAddress])
        /// A credential has changed. Comes as often as they do.
        case changed
        /// So many calls are still under way, and are cut after the time that is left. Told again and again.
        case draining(open: Int, left: Duration)
    }

    /// What the agent tells of itself in a line.
    struct Summary: Sendable {
        var routes: Int
        var credentials: [CredentialSnapshot]
        var now: HostTime
    }

    /// - Parameters:
    ///   - loop: the control loop.
    ///   - listeners: to be served; at least one.
    ///   - agentUID: whose calls are always permitted, besides root's.
    ///   - crowd: of the data loops.
    init(
        on loop: EventLoop, configuration: Configuration, listeners: [ListeningSocket], log: Log, agentUID: UInt32,
        clock: any HostClock = SystemClock(), groupLookUps: GroupLookUps = .ofThisHost, crowd: EventLoop.Crowd = .init()
    ) {
        self.crowd = crowd
        self.loop = loop
        self.log = log
        self.clock = clock
        self.groupLookUps = groupLookUps
        self.agentUID = agentUID
        self.configuration = configuration
        startConfiguration = configuration
        self.listeners = listeners
        started = clock.now()
        parker = Parker(on: loop)
        let broadcast = broadcast
        engine = CredentialEngine(
            on: loop, clock: clock, seed: UInt64.random(in: 0...UInt64.max),
            makeSource: { CredentialSources.source(for: $0, on: loop) },
            store: SealedStore.ofThisHost(),
            publish: { broadcast.publish($0) },
            report: { name, change in
                let level: LogLevel = change.isWarning ? .warning : .info
                log.tell(level, change.lifeEvent, ["credential": .text(name), "change": .text(change.message)])
            })
    }

    /// Serves until `stop` has been called and the last call is done, or its time is over.
    ///
    /// - Parameter tell: called on the control loop.
    /// - Throws: what keeps the agent from starting.
    func run(_ tell: @escaping @Sendable (Event) -> Void = { _ in }) async throws {
        let plan = try await makePlan(configuration)
        self.plan = plan
        watchFiles(configuration)
        await engine.configure(specs(configuration))
        clockWatch = ClockWatch(on: loop) { [engine] in engine.clockStepped() }
        try startWorkers(plan, snapshots: currentSnapshots())
        await withDiscardingTaskGroup { group in
            let engine = engine
            group.addTask(executorPreference: loop) { await engine.run() }
            for worker in workers {
                group.addTask(executorPreference: worker.loop) { await worker.run() }
            }
            log.tell(
                .info, .serving,
                [
                    "listeners": .text(listeners.map(\.address.description).joined(separator: ", ")),
                    "routes": .count(configuration.routes.count), "threads": .count(workers.count),
                ])
            tell(.listening(listeners.map(\.address)))
            plan.prepareTLS()
            broadcast.observe { tell(.changed) }
            while !isStopping { _ = await parker.park() }
            await drain(tell)
            await engine.stop()
        }
        watcher?.close()
        watcher = nil
        clockWatch?.close()
        clockWatch = nil
        for worker in workers { worker.loop.stop() }
        // Workers know the agent and the agent knows its workers: untied, or neither would ever be freed.
        broadcast.set([])
        workers = []
        log.tell(.info, .stopped)
    }

    /// Begins to stop: no new connections, calls under way finish. Any thread; said again, it cuts what is left.
    nonisolated func stop() {
        loop.post {
            self.assumeIsolated { agent in
                if agent.isStopping { agent.isCutting = true }
                agent.isStopping = true
                agent.parker.unpark()
            }
        }
    }

    func summary() async -> Summary {
        Summary(
            routes: configuration.routes.count, credentials: await engine.snapshots(), now: clock.now())
    }

    /// Comes back once every data loop has turned: from a stuck one, never.
    ///
    /// - Returns: turns of all of them. Not to be thrown away: the optimiser leaves out a hop to another loop if nothing
    ///   comes of it, and then a stuck one passes for sound.
    func turnLoops() async -> UInt64 {
        var turns: UInt64 = 0
        for worker in workers { turns &+= await worker.turn() }
        return turns
    }

    /// Connections that are open, and all that there have been: both unchanged means that nobody has called.
    func traffic() async -> (open: Int, accepted: UInt64) {
        var (open, accepted) = (0, UInt64(0))
        for worker in workers {
            open += await worker.connectionCount
            accepted &+= await worker.metrics.acceptedConnections
        }
        return (open, accepted)
    }

    /// After how long without connections the agent ends, for systemd to start it again; nil: never.
    var idleExit: Duration? { configuration.idleExit }

    /// Takes a configuration over, whole or not at all; an agent that ends takes none.
    ///
    /// - Throws: why it cannot be taken; the old one stays in force.
    func reload(_ new: Configuration) async throws {
        let plan = try await makePlan(new)
        guard !isStopping else { return }
        let needingRestart = new.difference(from: startConfiguration).needingRestart
        configuration = new
        self.plan = plan
        watchFiles(new)
        await engine.configure(specs(new))
        let snapshots = ordered(currentSnapshots(), plan)
        for worker in workers { worker.adopt(plan, snapshots: snapshots) }
        plan.prepareTLS()
        log.tell(
            .info, .reloaded,
            [
                "routes": .count(new.routes.count), "credentials": .count(new.credentials.count),
                "needsRestart": .text(needingRestart.isEmpty ? "nothing" : needingRestart.joined(separator: ", ")),
            ])
    }

    /// Says in the log and in the status why a reload changed nothing.
    ///
    /// - Parameter reason: a line a problem, as the log tells them: one field would be cut.
    func reloadFailed(_ reason: String) async {
        for problem in reason.split(separator: "\n") {
            log.tell(.error, .reloadFailed, ["reason": .text(String(problem))])
        }
        for worker in workers { await worker.note(reloadProblem: reason) }
    }

    /// The calls of a route go out with another credential, on one loop at least.
    private nonisolated func chainChanged(_ use: ChainUse) {
        loop.post { self.assumeIsolated { $0.tell(use) } }
    }

    private func tell(_ use: ChainUse) {
        guard chains.record(use) else { return }
        log.tell(
            use.isWarning ? .warning : .info, .chainChanged,
            [
                "route": .text(use.route), "change": .text(use.message), "credential": .text(use.name ?? "none"),
                "cause": .text(use.cause ?? "none"),
            ])
    }

    // MARK: Parts

    private func makePlan(_ configuration: Configuration) async throws -> GatewayPlan {
        let parts = GatewayPlan.Parts(configuration, listeners: listeners.map(\.address))
        let uid = agentUID
        let result = await EventLoop.offload { () -> Result<GatewayPlan, GatewayPlanProblems> in
            do throws(GatewayPlanProblems) { return .success(try GatewayPlan(parts, agentUID: uid)) } catch {
                return .failure(error)
            }
        }
        let plan = try result.get()
        for warning in plan.warnings { log.warning("configuration", ["warning": .text(warning)]) }
        return plan
    }

    private func specs(_ configuration: Configuration) -> [CredentialSpec] {
        configuration.credentials.values.sorted { $0.name < $1.name }
    }

    /// Without waiting, since both live on one loop: what is made of it comes before the next publication. Were there a
    /// moment between, a value published in it would be replaced by the older one of this list.
    private func currentSnapshots() -> [CredentialSnapshot] {
        engine.assumeIsolated { $0.snapshots() }
    }

    private func ordered(_ snapshots: [CredentialSnapshot], _ plan: GatewayPlan) -> [CredentialSnapshot] {
        let byName = Dictionary(snapshots.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return plan.credentialNames.compactMap { byName[$0] }
    }

    private func startWorkers(_ plan: GatewayPlan, snapshots: [CredentialSnapshot]) throws(SystemError) {
        let count = configuration.threads ?? HostProcess.defaultThreadCount
        let limit = max(1, configuration.limits.connections / count)
        let shares = SharedConnectionShares(limit: configuration.limits.connections)
        let seed = UInt64.random(in: 0...UInt64.max)
        let engine = engine
        let signals = CredentialSignals(
            used: { engine.used($0, generation: $1) }, demanded: { engine.demand($0, life: $1) },
            rejected: { engine.rejected(lineage: $0, generation: $1) }, chainChanged: { self.chainChanged($0) })
        for number in 0..<count {
            let loop = try EventLoop(name: "worker.\(number)", crowd: crowd)
            workers.append(
                Worker(
                    on: loop, number: number, listeners: listeners, connectionLimit: limit, shares: shares,
                    clock: clock, plan: plan, snapshots: ordered(snapshots, plan), signals: signals, log: log,
                    seed: seed, groupLookUps: groupLookUps,
                    renderMetrics: { await self.renderMetrics() }))
            // Not before: the loop's thread would look at what the worker is still putting in place.
            try loop.start()
        }
        broadcast.set(workers)
    }

    /// To be called before the engine takes the configuration over: what it reads is watched by then.
    private func watchFiles(_ configuration: Configuration) {
        let former = watches
        watches = []
        // Not before the new ones are in place: a folder that goes on being watched keeps what the kernel has queued for it.
        defer { for watch in former { watcher?.cancel(watch) } }
        let isNeeded = specs(configuration).contains { !CredentialSources.watchedPaths($0).isEmpty }
        if watcher == nil, isNeeded {
            do { watcher = try FileWatcher(on: loop) } catch {
                log.warning(
                    "files of credentials cannot be watched; a change is seen at the next renewal only",
                    ["error": "\(error)"])
            }
        }
        guard let watcher else { return }
        for group in CredentialGroup.groups(specs(configuration)) {
            let spec = group.spec
            for path in CredentialSources.watchedPaths(spec) {
                do {
                    let (engine, name) = (engine, spec.name)
                    watches.append(try watcher.watch(path) { engine.sourceChanged(name) })
                } catch {
                    log.warning(
                        "a credential's file cannot be watched; a change is seen at the next renewal only",
                        ["credential": .text(spec.name), "error": "\(error)"])
                }
            }
        }
    }

    private func drain(_ tell: @Sendable (Event) -> Void) async {
        log.tell(.info, .draining, ["limit": .duration(configuration.timeouts.drain)])
        tell(.draining(open: await traffic().open, left: configuration.timeouts.drain))
        for worker in workers { await worker.drain() }
        for listener in listeners { listener.refuseCallers() }
        let deadline = loop.now + configuration.timeouts.drain.nanoseconds
        var open = 0
        repeat {
            open = 0
            for worker in workers { open += await worker.connectionCount }
            guard open > 0 else { return }
            tell(.draining(open: open, left: .nanoseconds(max(0, deadline - loop.now))))
            // Once a quarter of a second, and only while draining.
            if !isCutting { _ = await parker.park(until: min(deadline, loop.now + 250_000_000)) }
        } while loop.now < deadline && !isCutting
        log.tell(.warning, .callsCut, ["connections": .count(open)])
        for worker in workers { await worker.abortAll() }
    }

    private func renderMetrics() async -> String {
        var sum = WorkerMetrics()
        for worker in workers { sum.merge(await worker.metrics) }
        let now = clock.now()
        var text = MetricsText()
        text.append(version: AgentVersion.current, started: started)
        text.append(sum)
        text.append(droppedLogLines: log.sink.droppedLines)
        let snapshots = await engine.snapshots()
        text.append(snapshots.map { CredentialMetrics($0, at: now) })
        if let plan { text.append(plan.chainLinks(ordered(snapshots, plan), at: now)) }
        return text.finish()
    }
}

extension GatewayPlan.Parts {
    init(_ configuration: Configuration, listeners: [SocketAddress] = []) {
        self.init(
            routes: configuration.routes, credentialNames: configuration.credentials.keys.sorted(),
            allow: configuration.allow, limits: configuration.limits, timeouts: configuration.timeouts,
            listeners: listeners)
    }
}

extension GatewayPlan {
    /// For the metrics: every link of every chain, and whether the next call would go out with it.
    ///
    /// - Parameter snapshots: in the order of the plan's credentials.
    func chainLinks(_ snapshots: [CredentialSnapshot], at now: HostTime) -> [ChainLinkMetrics] {
        guard snapshots.count == credentialNames.count else { return [] }
        return routes.flatMap { route in
            route.injections.enumerated().flatMap { number, injection in
                let standing = injection.standing(snapshots, wait: route.timeouts.credentialWait, at: now)
                return injection.names.enumerated().map { link, name in
                    var isInUse = false
                    if case .use(link, _) = standing { isInUse = true }
                    return ChainLinkMetrics(
                        route: route.spec.prefix, injection: number, link: link, credential: name, isInUse: isInUse)
                }
            }
        }
    }
}

extension CredentialMetrics {
    init(_ snapshot: CredentialSnapshot, at now: HostTime) {
        self.init(name: snapshot.name)
        isUsable = snapshot.isUsable(at: now)
        if let expires = snapshot.credential?.expires, min(expires.wall, expires.boot) < .max {
            remainingNanoseconds = expires.remaining(at: now)
        }
        mints = snapshot.mints
        fetches = snapshot.fetches
        failures = snapshot.failures
    }
}

/// Hands the engine's publications to all workers, in order.
private final class Broadcast: Sendable {
    private let workers = Mutex<[Worker]>([])
    private let observer = Mutex<(@Sendable () -> Void)?>(nil)

    func set(_ workers: [Worker]) {
        self.workers.withLock { $0 = workers }
    }

    /// Has `observer` called after each publication.
    func observe(_ observer: @escaping @Sendable () -> Void) {
        self.observer.withLock { $0 = observer }
    }

    func publish(_ snapshot: CredentialSnapshot) {
        for worker in workers.withLock({ $0 }) { worker.publish(snapshot) }
        observer.withLock({ $0 })?()
    }
}
