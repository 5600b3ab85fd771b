// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What the daemon remembers for the service manager.
struct ManagerState: Sendable {
    enum Phase: Sendable {
        case starting, serving, draining, over
    }

    var phase = Phase.starting
    var reloadProblem: String?
    /// Something that the status line tells has changed since it was told.
    var isStatusOld = false
    /// Monotonic nanoseconds before which the status line is not told again: credentials may change quickly.
    var nextStatus = Int64.min
    /// Monotonic nanoseconds of the next request for more time to drain.
    var nextExtension = Int64.min
    var openCalls = -1
    /// Of all loops, when they were last asked.
    var turns: UInt64 = 0
}

/// Monotonic nanoseconds of the next due moments; nil for what is not wanted.
private struct Due {
    var beat: Int64?
    var idleLook: Int64?
}

extension Daemon {
    /// How often at most the status line is told.
    private static var statusPause: Int64 { 1_000_000_000 }

    /// Hears what the agent tells, on the loop.
    func hear(_ event: Agent.Event) {
        switch event {
        case .listening:
            // The start may have been given up in this very turn.
            guard manager.phase == .starting else { return }
            manager.phase = .serving
            manager.isStatusOld = true
            // At once: systemd, and whoever has started the service, waits for it.
            SystemdNotifier.ready(status: "serving")
            makeUpForReload()
            Task(executorPreference: loop) { await self.settle() }
        case .changed:
            manager.isStatusOld = true
        case .draining(let open, let left):
            drain(open, left)
        }
        parker.unpark()
    }

    /// Lets go of what the start has needed, when the first calls that waited for it have been answered.
    private func settle() async {
        _ = await Parker(on: loop).park(until: loop.now + 300_000_000)
        HostMemory.releaseUnused()
    }

    private func drain(_ open: Int, _ left: Duration) {
        let status =
            open == 0 ? "ending" : "letting \(open) call\(open == 1 ? "" : "s") under way finish, for \(left.seconds) s"
        if manager.phase != .draining {
            manager.phase = .draining
            SystemdNotifier.stopping(status: status)
        } else if open != manager.openCalls {
            SystemdNotifier.status(status)
        }
        manager.openCalls = open
        // TimeoutStopSec= may be shorter than the drain limit: as long as calls go on, more time is asked for.
        if open > 0, loop.now >= manager.nextExtension {
            SystemdNotifier.extendTimeout(by: .seconds(15))
            manager.nextExtension = loop.now + 5_000_000_000
        }
    }

    func statusLine() async -> String {
        StatusLine(summary: await agent.summary(), reloadProblem: manager.reloadProblem).text
    }

    /// Until the end: keeps the status line true, feeds the watchdog, and ends an agent that nobody calls.
    func talkToManager() async {
        // Three times in an interval, so that one late turn is not yet a restart.
        let beat = SystemdNotifier.watchdogInterval.map { $0.nanoseconds / 3 }
        var idle = IdleWatch()
        var due = Due(beat: beat.map { loop.now + $0 })
        while manager.phase != .over {
            var wake = [due.beat, due.idleLook].compactMap(\.self).min() ?? .max
            if manager.isStatusOld { wake = min(wake, manager.nextStatus) }
            _ = await parker.park(until: wake == .max ? nil : wake)
            if manager.phase == .serving {
                await refreshStatus()
                due.idleLook = await look(&idle)
            } else {
                due.idleLook = nil
                manager.isStatusOld = false
            }
            if let beat, let next = due.beat, loop.now >= next {
                // This loop turns, or we were not here; the others are asked. A stuck one does not answer, and then
                // systemd is not told.
                let turns = await agent.turnLoops()
                if turns != manager.turns || manager.phase == .starting { SystemdNotifier.watchdog() }
                manager.turns = turns
                due.beat = loop.now + beat
            }
        }
    }

    private func refreshStatus() async {
        guard manager.isStatusOld, loop.now >= manager.nextStatus else { return }
        manager.isStatusOld = false
        manager.nextStatus = loop.now + Self.statusPause
        let line = await statusLine()
        // Meanwhile a stop may have begun, which has its own line.
        if manager.phase == .serving { SystemdNotifier.status(line) }
    }

    /// - Returns: when to look again; nil if nobody asked for it.
    private func look(_ idle: inout IdleWatch) async -> Int64? {
        guard isActivated, let limit = await agent.idleExit else { return nil }
        let traffic = await agent.traffic()
        let next = idle.look(open: traffic.open, accepted: traffic.accepted, limit: limit.nanoseconds, at: loop.now)
        if next == nil, manager.phase == .serving {
            log.tell(.info, .idle, ["limit": .duration(limit)])
            agent.stop()
        }
        return next
    }
}

/// Decides whether nobody has called for long enough. Pure.
struct IdleWatch: Sendable, Equatable {
    private var accepted: UInt64?
    private var since = Int64.min

    /// - Parameters:
    ///   - open: connections that are open now.
    ///   - accepted: all there have been.
    ///   - limit: nanoseconds without any.
    /// - Returns: when to look again, monotonic nanoseconds; nil: it is time to end.
    mutating func look(open: Int, accepted: UInt64, limit: Int64, at now: Int64) -> Int64? {
        if open > 0 || accepted != self.accepted {
            self.accepted = accepted
            since = now
        }
        if now - since >= limit { return nil }
        // Not more than some looks in a limit: a connection that came and went is seen by the count.
        return min(since + limit, now + max(limit / 4, 1_000_000_000))
    }
}

extension Duration {
    fileprivate var seconds: Int64 { components.seconds }
}
