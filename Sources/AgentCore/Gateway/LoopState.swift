// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Everything that the connections of one loop share. Confined to it: no member is ever touched by another thread.
final class LoopState {
    let loop: EventLoop
    let clock: any HostClock
    /// 0, 1, …: tells loops apart in request identifiers.
    let number: Int
    private(set) var plan: GatewayPlan
    private(set) var credentials: CredentialTable
    /// Tables of earlier plans, by which calls that began under them go on.
    private var formerTables: [FormerTable] = []
    private let signals: CredentialSignals
    private var pools: [UpstreamOrigin: UpstreamPool] = [:]
    /// In the order of the plan's routes.
    private var routes: [RouteState] = []
    private var time: (turn: UInt64, now: HostTime)
    /// Sleeps until the first idle connection of a pool is due to be closed.
    let reaper: Parker
    /// Monotonic nanoseconds at which it wakes; `Int64.max`: nothing was idle when it last looked.
    private var reaperTime = Int64.max
    let diagnosis: SocketDiagnosis?
    let callerGroups: CallerGroups
    /// Shared by the connections of callers.
    let shutdown = ServerConnection.Shutdown()
    var isDraining: Bool { shutdown.isDraining }
    /// Open connections of callers.
    var channels: [ObjectIdentifier: Channel] = [:]
    let heldContent = HeldContent()
    let meters = LoopMeters()
    let accessLog: AccessLog
    let log: Log
    /// Why the last reload changed nothing; nil if it did.
    var reloadProblem: String?
    /// Adds up the counters of all loops.
    let renderMetrics: @Sendable () async -> String
    private var requests: RequestID.Sequence
    private var date = HTTPDate()

    init(
        on loop: EventLoop, number: Int, clock: any HostClock, plan: GatewayPlan, snapshots: [CredentialSnapshot],
        signals: CredentialSignals, log: Log, seed: UInt64, groupLookUps: GroupLookUps,
        renderMetrics: @escaping @Sendable () async -> String
    ) {
        self.loop = loop
        self.log = log
        self.renderMetrics = renderMetrics
        accessLog = AccessLog(log)
        requests = RequestID.Sequence(seed: seed, loop: number)
        self.number = number
        callerGroups = CallerGroups(on: loop, groupLookUps)
        time = (.max, HostTime(wall: 0, boot: 0))
        self.clock = clock
        self.plan = plan
        self.signals = signals
        credentials = CredentialTable(snapshots, lineCount: plan.lineCount, signals: signals)
        reaper = Parker(on: loop)
        diagnosis = try? SocketDiagnosis()
        routes = plan.routes.map(state)
        loop.beforeSleep = { [unowned self] in accessLog.flush() }
    }

    /// Exchanges the plan. Calls under way keep the route that they began with.
    func adopt(_ plan: GatewayPlan, snapshots: [CredentialSnapshot]) {
        let old = credentials
        self.plan = plan
        credentials = CredentialTable(snapshots, lineCount: plan.lineCount, signals: signals)
        let origins = Set(plan.routes.map(\.origin))
        // A certificate file may have changed under the same name: TLS connections are made anew after a reload.
        for (origin, pool) in pools where origin.tls != nil || !origins.contains(origin) {
            pool.close()
            pools[origin] = nil
        }
        for pool in pools.values { setLimits(of: pool) }
        routes = plan.routes.map(state)
        formerTables.removeAll { $0.table == nil }
        formerTables.append(FormerTable(table: old))
        let lineages = Dictionary(snapshots.map { ($0.name, $0.lineage) }, uniquingKeysWith: { first, _ in first })
        for former in formerTables { former.table?.retire(allBut: lineages) }
        // Idle connections may be kept for a shorter time now.
        reaper.unpark()
    }

    /// Takes a publication of the engine, for this plan and for those that calls under way began with.
    func take(_ snapshot: CredentialSnapshot) {
        credentials.take(snapshot)
        for former in formerTables { former.table?.take(snapshot) }
    }

    private struct FormerTable {
        weak var table: CredentialTable?
    }

    private func state(of route: Route) -> RouteState {
        RouteState(route, pool: pool(for: route.origin), meter: meters.meter(route: route.spec.prefix))
    }

    /// The route of a path, with what the loop keeps for it.
    func route(for path: Span<UInt8>) -> RouteState? {
        guard let number = plan.routeNumber(for: path) else { return nil }
        return routes[number]
    }

    /// Tells that a route's calls go out with another link than before; calls of a former plan are no news.
    func tellOfChain(_ state: RouteState, _ injection: Int, link: Int?, why: Chain.Reason?) {
        let route = state.route
        guard routes.indices.contains(route.number), routes[route.number] === state else { return }
        var cause: String?
        if why != .preferred, case .credential(let place)? = route.injections[injection].chain.links.first {
            cause = credentials.snapshots[place].failure?.message
        }
        signals.chainChanged(
            ChainUse(
                route: route.spec.prefix, injection: injection, names: route.injections[injection].names, link: link,
                why: why, cause: cause))
    }

    /// Both clocks, read once a turn of the loop: all that is decided in a turn is decided at one moment.
    var now: HostTime {
        let turn = loop.turns
        if time.turn != turn { time = (turn, clock.now()) }
        return time.now
    }

    private func pool(for origin: UpstreamOrigin) -> UpstreamPool {
        if let pool = pools[origin] { return pool }
        let pool = UpstreamPool(origin, tls: origin.tls.flatMap { plan.contexts[$0] }, on: loop)
        setLimits(of: pool)
        pools[origin] = pool
        return pool
    }

    private func setLimits(of pool: UpstreamPool) {
        pool.idleLimit = plan.idleUpstreamConnections
        pool.idleTimeout = plan.timeouts.upstreamKeepAlive
        pool.surplusTimeout = plan.timeouts.upstreamSurplus
    }

    /// Closes connections that have been idle for too long.
    ///
    /// - Returns: monotonic nanoseconds at which the next is due; nil if none is idle.
    func closeIdleUpstreams() -> Int64? {
        for pool in pools.values { pool.expire(at: loop.now) }
        let next = pools.values.compactMap(\.nextExpiry).min()
        reaperTime = next ?? .max
        // What was left for the next time gives way to whoever calls.
        return next.map { max($0, loop.now + 1_000_000) }
    }

    /// An idle connection is due at `due`. Wakes the reaper only if it would come later.
    func noteIdleUpstream(due: Int64?) {
        guard let due, due < reaperTime else { return }
        reaperTime = due
        reaper.unpark()
    }

    /// Idle connections end now, the others after the request in hand.
    func drain() {
        shutdown.isDraining = true
        for channel in channels.values { channel.parker?.unpark() }
        for pool in pools.values { pool.close() }
    }

    /// The last call is done: lets go of what the loop holds, which may live on for a moment.
    func end() {
        for pool in pools.values { pool.close() }
        loop.pipes.releaseAll()
        accessLog.flush()
        loop.beforeSleep = nil
    }

    /// Ends every call that is still under way.
    func abortAll() {
        for channel in channels.values {
            let parker = channel.parker
            channel.abort()
            parker?.unpark()
        }
    }

    func nextRequest() -> RequestID {
        requests.draw()
    }

    /// The time of answers, rendered once a second.
    func currentDate() -> HTTPDate {
        let second = now.wall / 1_000_000_000
        if date.second != second { date = HTTPDate(second: second) }
        return date
    }
}
