// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One data loop at work: accepts connections and serves each in a task of its own.
///
/// ## Concurrency
/// The actor's executor is its loop, so that everything it reaches (`LoopState`, connections, exchanges) is touched by
/// one thread, which the compiler checks. Other threads reach it through `await`, or by `post` for what must stay in
/// order.
actor Worker: LoopBound {
    nonisolated let loop: EventLoop
    private let state: LoopState
    private let listeners: [ListeningSocket]
    private let connectionLimit: Int
    private let shares: SharedConnectionShares
    private var acceptors: [(acceptor: Acceptor, isUnix: Bool)] = []
    private let acceptParker: Parker
    private var turns: UInt64 = 0
    /// Connections accepted and not yet at their end.
    private var openCount = 0
    /// The most of them since there were none.
    private var peakCount = 0
    /// From so many at once it counts as a burst, and its memory is given back when the last has gone.
    private static let burst = 32
    /// The process has no descriptors or memory for all who wait; told of once, until it has.
    private var isStarved = false

    /// - Parameters:
    ///   - connectionLimit: of this loop; at it, callers wait in the kernel's queue.
    ///   - shares: of the users, in the connections of all loops.
    init(
        on loop: EventLoop, number: Int, listeners: [ListeningSocket], connectionLimit: Int,
        shares: SharedConnectionShares, clock: any HostClock, plan: GatewayPlan, snapshots: [CredentialSnapshot],
        signals: CredentialSignals, log: Log, seed: UInt64, groupLookUps: GroupLookUps,
        renderMetrics: @escaping @Sendable () async -> String
    ) {
        self.loop = loop
        self.listeners = listeners
        self.connectionLimit = connectionLimit
        self.shares = shares
        state = LoopState(
            on: loop, number: number, clock: clock, plan: plan, snapshots: snapshots, signals: signals, log: log,
            seed: seed, groupLookUps: groupLookUps, renderMetrics: renderMetrics)
        acceptParker = Parker(on: loop)
    }

    /// Accepts and serves until `drain` has been called and the last call is done.
    func run() async {
        do throws(SystemError) {
            for listener in listeners {
                let acceptor = try Acceptor(listener, on: loop, parker: acceptParker)
                acceptors.append((acceptor, listener.address.unixPath != nil))
            }
        } catch {
            state.log.error("a listener cannot be watched", ["error": "\(error)"])
        }
        await withDiscardingTaskGroup { group in
            group.addTask(executorPreference: loop) { await self.closeIdleUpstreams() }
            while !state.isDraining {
                let deadline = acceptAll { descriptor, isUnix in
                    let raw = descriptor.release()
                    group.addTask(executorPreference: loop) {
                        await self.serve(Descriptor(owning: raw), isUnix: isUnix)
                    }
                }
                _ = await acceptParker.park(until: deadline)
            }
            for (acceptor, _) in acceptors { acceptor.close() }
            state.reaper.unpark()
        }
        state.end()
    }

    /// Takes every connection that waits, up to the limit.
    ///
    /// - Returns: when to try again without being woken: after the process ran out of descriptors or memory.
    private func acceptAll(_ start: (consuming Descriptor, Bool) -> Void) -> Int64? {
        do throws(SystemError) {
            for (acceptor, isUnix) in acceptors {
                try acceptor.resume()
                while openCount < connectionLimit, let accepted = try acceptor.accept() {
                    openCount += 1
                    peakCount = max(peakCount, openCount)
                    state.meters.acceptedConnections &+= 1
                    start(accepted.takeDescriptor(), isUnix)
                }
            }
        } catch {
            // EMFILE and its like do not go away by asking again at once.
            if !isStarved {
                state.log.warning("connections cannot be accepted; trying until they can", ["error": "\(error)"])
            }
            isStarved = true
            return loop.now + 100_000_000
        }
        isStarved = false
        // A caller who comes now is for the loops that have room: the kernel wakes one loop only.
        if openCount >= connectionLimit { for (acceptor, _) in acceptors { acceptor.pause() } }
        return nil
    }

    private func serve(_ descriptor: consuming Descriptor, isUnix: Bool) async {
        defer {
            if openCount >= connectionLimit { acceptParker.unpark() }
            openCount -= 1
            if openCount == 0 {
                if peakCount >= Self.burst { giveBack() }
                peakCount = 0
            }
        }
        guard var caller = admit(descriptor, isUnix: isUnix) else { return }
        let (channel, uid) = (caller.value.channel, caller.value.uid)
        if shares.take(uid, isExempt: state.plan.access.isOwn(uid)) {
            await caller.value.serve()
            shares.giveBack(uid)
        } else {
            caller.value.turnAway()
        }
        forget(channel)
    }

    // Not inlined into `serve`: see `Exchange`.
    @inline(never)
    private func admit(_ descriptor: consuming Descriptor, isUnix: Bool) -> OwnedBox<Caller>? {
        do throws(SystemError) {
            let connection = try ServerConnection(
                adopting: descriptor, isUnix: isUnix, on: loop, shutdown: state.shutdown)
            let channel = connection.channel
            state.channels[ObjectIdentifier(channel)] = channel
            state.meters.openConnections += 1
            return OwnedBox(Caller(connection, isUnix: isUnix, state: state))
        } catch { return nil }
    }

    @inline(never)
    private func forget(_ channel: Channel) {
        channel.close()
        state.meters.openConnections -= 1
        state.channels[ObjectIdentifier(channel)] = nil
    }

    private func giveBack() {
        loop.buffers.releaseAll()
        loop.pipes.releaseAll()
        HostMemory.releaseUnused()
    }

    private func closeIdleUpstreams() async {
        var wasIdle = false
        while !state.isDraining {
            let next = state.closeIdleUpstreams()
            // None is kept any more: nobody has called for as long as one is kept.
            if next == nil, wasIdle { giveBack() }
            wasIdle = next != nil
            _ = await state.reaper.park(until: next)
        }
    }

    // MARK: From elsewhere

    /// Takes a publication of the engine. Any thread; publications arrive in the order they were made.
    nonisolated func publish(_ snapshot: CredentialSnapshot) {
        loop.post { self.assumeIsolated { $0.state.take(snapshot) } }
    }

    /// Exchanges the plan; `snapshots` are those of its credentials.
    nonisolated func adopt(_ plan: GatewayPlan, snapshots: [CredentialSnapshot]) {
        loop.post {
            self.assumeIsolated {
                $0.state.adopt(plan, snapshots: snapshots)
                $0.state.reloadProblem = nil
            }
        }
    }

    /// Tells why the last reload changed nothing.
    func note(reloadProblem: String) {
        state.reloadProblem = reloadProblem
    }

    /// Counts its own calls, from the loop itself: a stuck loop does not answer.
    func turn() -> UInt64 {
        turns &+= 1
        return turns
    }

    var metrics: WorkerMetrics {
        var metrics = state.meters.metrics
        metrics.ringCalls = loop.calls.ringCalls
        return metrics
    }
    var connectionCount: Int { state.channels.count }

    /// Accepts no more; idle connections end, calls under way go on.
    func drain() {
        state.drain()
        acceptParker.unpark()
    }

    /// Ends what is still under way, visibly: connections are reset.
    func abortAll() {
        state.abortAll()
    }
}
