// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// `gateway-agent serve`: the daemon.
enum ServeCommand {
    static func run(_ option: String?) -> ExitCode {
        guard let (configuration, files) = CommandRunner.load(option) else { return .configuration }
        let isJournal = HostProcess.environment["JOURNAL_STREAM"] != nil
        let log = Log(
            level: configuration.log.level, style: LogStyle(configuration.log.format, isJournal: isJournal),
            sink: StandardStream.error)
        do {
            try HostProcess.forbidDumps()
            try HostProcess.raiseDescriptorLimit()
        } catch {
            log.warning("the process could not be hardened", ["error": "\(error)"])
        }
        let listeners: [ListeningSocket]
        do {
            listeners = try Listeners.open(configuration.listen)
        } catch {
            CommandRunner.printError("\(error)")
            return .system
        }
        guard !listeners.isEmpty else {
            CommandRunner.printError("there is nothing to listen on; set listen.unix or listen.tcp")
            return .configuration
        }
        do {
            let loop = try EventLoop(name: "control")
            let agent = Agent(
                on: loop, configuration: configuration, listeners: listeners, log: log, agentUID: HostProcess.userID)
            let daemon = Daemon(agent, files: files, log: log, on: loop)
            Task(executorPreference: loop) { await daemon.run() }
            // The control loop has the main thread, which would have nothing else to do.
            loop.run()
            return daemon.result
        } catch {
            CommandRunner.printError("\(error)")
            return .system
        }
    }
}

/// Opens what is configured to be listened on, or takes what systemd has opened.
enum Listeners {
    /// A failure to listen, with its address.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func open(_ spec: ListenSpec) throws -> [ListeningSocket] {
        let passed = try SystemdActivation.take()
        if !passed.isEmpty { return try passed.map { try $0.listeningSocket() } }
        var sockets: [ListeningSocket] = []
        if let path = spec.unixPath {
            try HostProcess.makeFolder(ofSocket: path)
            sockets.append(try ListeningSocket(unixPath: path, mode: UInt32(spec.unixMode)))
        }
        for address in spec.tcp {
            guard let socketAddress = SocketAddress(ip: address.ip, port: address.port) else {
                throw Failure(description: "\(address) is no address to listen on")
            }
            do { sockets.append(try ListeningSocket(tcp: socketAddress)) } catch {
                throw Failure(
                    description: "cannot listen on \(address): \(error.reason); "
                        + "another program may use it (ss -ltnp), or set listen.tcp to another port")
            }
        }
        return sockets
    }
}
