// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Synchronization

/// The agent as a service: signals steer it, systemd hears of it.
///
/// SIGHUP takes a changed configuration over, whole or not at all; SIGTERM and SIGINT let calls under way finish; the
/// second of them cuts what is left.
actor Daemon: LoopBound {
    nonisolated let loop: EventLoop
    private let agent: Agent
    private let files: ConfigurationFiles
    private let log: Log
    private var signals: SignalWatch?
    private let outcome = Mutex(ExitCode.success)

    init(_ agent: Agent, files: ConfigurationFiles, log: Log, on loop: EventLoop) {
        self.agent = agent
        self.files = files
        self.log = log
        self.loop = loop
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
        do {
            try await agent.run { event in Self.notify(event) }
        } catch {
            log.error("the agent cannot start", ["error": "\(error)"])
            outcome.withLock { $0 = .configuration }
        }
        signals?.close()
        loop.stop()
    }

    private func take(_ signal: HostSignal) {
        switch signal {
        case .terminate, .interrupt: agent.stop()
        case .hangup: Task(executorPreference: loop) { await self.reload() }
        }
    }

    private func reload() async {
        _ = SystemdNotifier.reloading()
        let files = files
        let result = await EventLoop.offload { () -> Result<Configuration, ConfigurationProblems> in
            do throws(ConfigurationProblems) { return .success(try files.load()) } catch { return .failure(error) }
        }
        do {
            try await agent.reload(try result.get())
            _ = SystemdNotifier.ready(status: "configuration reloaded")
        } catch {
            await agent.reloadFailed("\(error)")
            _ = SystemdNotifier.ready(status: "reload failed, the old configuration stays: \(error)")
        }
    }

    private nonisolated static func notify(_ event: Agent.Event) {
        switch event {
        case .listening(let addresses):
            _ = SystemdNotifier.ready(
                status: "serving on \(addresses.map(\.description).joined(separator: ", "))")
        case .draining:
            _ = SystemdNotifier.stopping(status: "letting calls under way finish")
        }
    }
}
