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
                log.tell(.error, .startFailed, ["error": "\(error)"])
                SystemdNotifier.status("cannot start: \(error)")
                outcome.withLock { $0 = .configuration }
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
            agent.stop()
        case .hangup:
            // Who ends reads nothing new; a second signal during a reload may be about a file that was read already.
            guard manager.phase == .serving else { return }
            if reloading != .not { return reloading = .again }
            Task(executorPreference: loop) { await self.reload() }
        }
    }

    private func reload() async {
        SystemdNotifier.reloading()
        repeat {
            reloading = .once
            let files = files
            let result = await EventLoop.offload { () -> Result<Configuration, ConfigurationProblems> in
                do throws(ConfigurationProblems) { return .success(try files.load()) } catch { return .failure(error) }
            }
            do {
                try await agent.reload(try result.get())
                manager.reloadProblem = nil
            } catch {
                await agent.reloadFailed("\(error)")
                manager.reloadProblem = "\(error)"
            }
        } while reloading == .again
        reloading = .not
        SystemdNotifier.ready(status: await statusLine())
    }
}
