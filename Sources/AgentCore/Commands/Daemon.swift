// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The agent as a service: signals steer it, systemd hears of it.
///
/// SIGHUP takes a changed configuration over, whole or not at all; SIGTERM and SIGINT let calls under way finish; the
/// second of them cuts what is left. What systemd is told, and when, is in `Daemon+Manager.swift`.
///
/// ## Concurrency
/// On the control loop, as the agent is: what one says to the other arrives in order.
actor Daemon: LoopBound {
    nonisolated let loop: EventLoop
    let agent: Agent
    let log: Log
    /// Whether systemd holds the sockets, so that ending loses no caller.
    let isActivated: Bool
    /// Wakes the task that talks to the service manager.
    let parker: Parker
    var manager = ManagerState()
    private let files: ConfigurationFiles
    private var signals: SignalWatch?
    private var reloading = Reloading.not
    /// A SIGHUP has come before there was anything to reload.
    private var isReloadDue = false
    private let outcome = Mutex(ExitCode.success)

    private enum Reloading {
        case not, once, again
    }

    init(_ agent: Agent, files: ConfigurationFiles, isActivated: Bool, log: Log, on loop: EventLoop) {
        self.agent = agent
        self.files = files
        self.isActivated = isActivated
        self.log = log
        self.loop = loop
        parker = Parker(on: loop)
    }

    /// What to exit with, once the loop has ended.
    nonisolated var result: ExitCode { outcome.withLock { $0 } }

    func run() async {
        do throws(SystemError) {
            signals = try SignalWatch(on: loop) { [self] signal in
                assumeIsolated { $0.take(signal) }
            }
        } catch {
            log.error("signals cannot be received", ["error": "\(error)"])
        }
        await withDiscardingTaskGroup { group in
            group.addTask(executorPreference: loop) { await self.talkToManager() }
            do {
                try await agent.run { [self] event in assumeIsolated { $0.hear(event) } }
            } catch {
                for problem in Self.problems(error) { log.tell(.error, .startFailed, ["error": .text(problem)]) }
                SystemdNotifier.status("cannot start: \(error)")
                // What the kernel refuses is no mistake of whoever wrote the configuration.
                let code = error is SystemError ? ExitCode.system : .configuration
                outcome.withLock { $0 = code }
            }
            manager.phase = .over
            parker.unpark()
        }
        signals?.close()
        loop.stop()
    }

    private func take(_ signal: HostSignal) {
        switch signal {
        case .terminate, .interrupt:
            // What holds the start up (a file on a server that is gone) may never come back, and nobody is served yet.
            if manager.phase == .starting { return giveUpStart() }
            agent.stop()
        case .hangup:
            switch manager.phase {
            // The files have been read already.
            case .starting: isReloadDue = true
            case .serving: beginReload()
            // Who ends reads nothing new.
            case .draining, .over: break
            }
        }
    }

    private func giveUpStart() {
        SystemdNotifier.stopping(status: "ending before the start was over")
        manager.phase = .over
        log.tell(.info, .stopped)
        loop.stop()
    }

    /// Takes over what has changed while the agent started, as soon as it serves.
    func makeUpForReload() {
        guard isReloadDue else { return }
        isReloadDue = false
        beginReload()
    }

    private func beginReload() {
        // A second signal during a reload may be about a file that was read already.
        if reloading != .not { return reloading = .again }
        // Now, not in the task: the next signal may come before that runs.
        reloading = .once
        SystemdNotifier.reloading()
        Task(executorPreference: loop) { await self.reload() }
    }

    private func reload() async {
        repeat {
            reloading = .once
            await takeConfiguration()
        } while reloading == .again && manager.phase == .serving
        reloading = .not
        let line = await statusLine()
        // Meanwhile a stop may have begun, after which systemd must not hear that the agent is ready.
        if manager.phase == .serving { SystemdNotifier.ready(status: line) }
    }

    /// Each by itself: what is told of them is cut at a length.
    private static func problems(_ error: any Error) -> [String] {
        switch error {
        case let error as ConfigurationProblems: error.problems.map(\.description)
        case let error as GatewayPlanProblems: error.sentences
        default: ["\(error)"]
        }
    }

    private func takeConfiguration() async {
        let files = files
        let result = await EventLoop.offload { () -> Result<Configuration, ConfigurationProblems> in
            do throws(ConfigurationProblems) { return .success(try files.load()) } catch { return .failure(error) }
        }
        guard manager.phase == .serving else { return }
        do {
            try await agent.reload(try result.get())
            manager.reloadProblem = nil
        } catch {
            guard manager.phase == .serving else { return }
            let problems = Self.problems(error).joined(separator: "\n")
            await agent.reloadFailed(problems)
            manager.reloadProblem = problems
        }
    }
}
