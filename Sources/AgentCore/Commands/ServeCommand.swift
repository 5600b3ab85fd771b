// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// `gateway-agent serve`: the daemon.
enum ServeCommand {
    static func run(_ option: String?) -> ExitCode {
        let files = CommandRunner.configurationFiles(option)
        let configuration: Configuration
        do throws(ConfigurationProblems) { configuration = try files.load() } catch {
            return refuse(error)
        }
        let log = makeLog(configuration.log)
        defer { log.sink.finish() }
        do {
            try HostProcess.forbidDumps()
        } catch {
            log.warning("the process could not be hardened", ["error": "\(error)"])
        }
        do {
            // A call has its caller's connection and its upstream's; the rest of the agent has some dozens.
            try HostProcess.widenDescriptorTable(to: UInt64(configuration.limits.connections) * 2 + 256)
        } catch {
            log.warning("open descriptors could not be provided for", ["error": "\(error)"])
        }
        let listeners: Listeners
        do { listeners = try Listeners.open(configuration.listen) } catch {
            return fail("\(error)", log, .system)
        }
        guard !listeners.sockets.isEmpty else {
            return fail("there is nothing to listen on; set listen.unix or listen.tcp", log, .configuration)
        }
        do {
            // It has the main thread, whose name is that of the process in ps(1) and systemctl(1).
            let loop = try EventLoop(name: "gateway-agent")
            let agent = Agent(
                on: loop, configuration: configuration, listeners: listeners.sockets, log: log,
                agentUID: HostProcess.userID)
            let daemon = Daemon(agent, files: files, isActivated: listeners.isActivated, log: log, on: loop)
            Task(executorPreference: loop) { await daemon.run() }
            loop.run()
            // After a start that was given up they are still as they were.
            for listener in listeners.sockets { listener.refuseCallers() }
            return daemon.result
        } catch {
            return fail("\(error)", log, .system)
        }
    }

    private static func makeLog(_ spec: LogSpec) -> Log {
        let isJournal = SystemdJournal.isStandardError
        let style = LogStyle(spec.format, isJournal: isJournal)
        guard isJournal, spec.format == .auto else {
            return Log(level: spec.level, style: style, sink: LogWriter(.error, style: style))
        }
        let writer = LogWriter(.error, style: style) { SystemdJournal.send($0) }
        return Log(level: spec.level, style: style, sink: writer) { entry in
            writer.write(entry)
            return true
        }
    }

    /// Says what is wrong with the configuration: all of it to the log, the first of it to `systemctl status`. systemd
    /// tries again, and who calls meanwhile waits in the sockets' queues.
    private static func refuse(_ problems: ConfigurationProblems) -> ExitCode {
        let log = makeLog(LogSpec())
        defer { log.sink.finish() }
        for problem in problems.problems { log.tell(.error, .configurationRefused, ["problem": "\(problem)"]) }
        SystemdNotifier.status("the configuration is wrong: \(problems.problems.first.map { "\($0)" } ?? "")")
        return .configuration
    }

    private static func fail(_ reason: String, _ log: Log, _ code: ExitCode) -> ExitCode {
        log.tell(.error, .startFailed, ["error": .text(reason)])
        SystemdNotifier.status("cannot start: \(reason)")
        return code
    }
}

/// What the agent listens on: what systemd has opened, else what is configured.
struct Listeners {
    let sockets: [ListeningSocket]
    /// systemd holds them: callers wait there while no agent runs.
    let isActivated: Bool

    /// A failure to listen, with its address.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func open(_ spec: ListenSpec) throws -> Listeners {
        let passed = try SystemdActivation.take(
            allowing: spec.tcp.compactMap { SocketAddress(ip: $0.ip, port: $0.port) })
        if !passed.isEmpty { return Listeners(sockets: try passed.map { try $0.listeningSocket() }, isActivated: true) }
        var sockets: [ListeningSocket] = []
        if let path = spec.unixPath {
            do { try HostProcess.makeFolder(ofSocket: path) } catch {
                throw Failure(
                    description:
                        "cannot make the folder of \(path): \(error.reason); make it for the agent's user, or set "
                        + "listen.unix to a path in a folder that is there")
            }
            sockets.append(try ListeningSocket(unixPath: path, mode: UInt32(spec.unixMode)))
        }
        for address in spec.tcp {
            guard let socketAddress = SocketAddress(ip: address.ip, port: address.port) else {
                throw Failure(description: "\(address) is no address to listen on")
            }
            do { sockets.append(try ListeningSocket(tcp: socketAddress)) } catch {
                throw Failure(
                    description: "cannot listen on \(address): \(error.reason); \(repair(error, address))")
            }
        }
        return Listeners(sockets: sockets, isActivated: false)
    }

    private static func repair(_ error: SystemError, _ address: ListenAddress) -> String {
        if error.isPermission, address.port < 1024 {
            return "ports below 1024 are root's: set listen.tcp to a higher one"
        }
        if error.isAddressMissing { return "this host has no such address (ip address): set listen.tcp to one it has" }
        return "another program may use it (ss -ltnp), or set listen.tcp to another port"
    }
}
