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
    private let signals: CredentialSignals
    private var pools: [UpstreamOrigin: UpstreamPool] = [:]
    /// Woken when a connection becomes idle in a pool, and sleeps until the first is due to be closed.
    let reaper: Parker
    let diagnosis: SocketDiagnosis?
    /// Groups of callers' uids, as the user database gave them a moment ago.
    var memberships: [UInt32: (groups: Set<UInt32>, expires: Int64)] = [:]
    private(set) var isDraining = false
    /// Open connections of callers.
    var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var requestCount: UInt64 = 0
    private let identifierBase: UInt64
    private var date = HTTPDate()

    init(
        on loop: EventLoop, number: Int, clock: any HostClock, plan: GatewayPlan, snapshots: [CredentialSnapshot],
        signals: CredentialSignals
    ) {
        self.loop = loop
        self.number = number
        self.clock = clock
        self.plan = plan
        self.signals = signals
        credentials = CredentialTable(snapshots, lineCount: plan.lineCount, signals: signals)
        reaper = Parker(on: loop)
        diagnosis = try? SocketDiagnosis()
        identifierBase = UInt64.random(in: 0...UInt64.max)
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
        old.wakeWaiters()
    }

    func pool(for origin: UpstreamOrigin) -> UpstreamPool {
        if let pool = pools[origin] { return pool }
        let pool = UpstreamPool(origin, context: origin.tls.flatMap { plan.contexts[$0] }, on: loop)
        pool.idleLimit = plan.idleUpstreamConnections
        pool.idleTimeout = plan.timeouts.upstreamKeepAlive
        pools[origin] = pool
        return pool
    }

    /// Closes connections that have been idle for too long.
    ///
    /// - Returns: monotonic nanoseconds at which the next is due; nil if none is idle.
    func closeIdleUpstreams() -> Int64? {
        for pool in pools.values { pool.expire(at: loop.now) }
        return pools.values.compactMap(\.nextExpiry).min()
    }

    /// Idle connections end now, the others after the request in hand.
    func drain() {
        isDraining = true
        for connection in connections.values {
            connection.isDraining = true
            connection.parker.unpark()
        }
        for pool in pools.values { pool.close() }
    }

    /// Ends every call that is still under way.
    func abortAll() {
        for connection in connections.values {
            connection.channel.abort()
            connection.parker.unpark()
        }
    }

    /// A short name for a request, in logs and errors: unique on this host for as long as anybody cares.
    func nextRequestIdentifier() -> UInt64 {
        requestCount &+= 1
        return identifierBase &+ requestCount &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(number)
    }

    /// The time of answers, rendered once a second.
    func currentDate() -> HTTPDate {
        date.update(second: clock.now().wall / 1_000_000_000)
        return date
    }
}
