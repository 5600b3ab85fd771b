// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Dispatch
import Glibc

@testable import AgentCore

/// The real agent on loops of its own, listening on a TCP port and a Unix socket that nobody else has.
final class AgentUnderTest: Sendable {
    let agent: Agent
    let tcp: SocketAddress
    let unix: SocketAddress
    /// For the files of credentials.
    let folder: ScratchFolder
    let log: CapturedLog
    private let running: Task<Void, any Error>
    private let configuration: Mutex<Configuration>

    init(
        agent: Agent, tcp: SocketAddress, unix: SocketAddress, folder: ScratchFolder, log: CapturedLog,
        running: Task<Void, any Error>, configuration: Configuration
    ) {
        self.agent = agent
        self.tcp = tcp
        self.unix = unix
        self.folder = folder
        self.log = log
        self.running = running
        self.configuration = Mutex(configuration)
    }

    /// A caller over TCP.
    func connect() throws -> Wire { try Wire(to: tcp) }

    /// A caller over the Unix socket.
    func connectUnix() throws -> Wire { try Wire(to: unix) }

    /// One call on a connection of its own.
    func get(_ path: String, fields: String = "") throws -> WireAnswer {
        try connect().get(path, fields: fields)
    }

    /// Changes the configuration while the agent runs.
    func reload(_ change: @Sendable (inout Configuration) -> Void) throws {
        let new = configuration.withLock { configuration in
            change(&configuration)
            return configuration
        }
        let agent = agent
        try blocking { try await agent.reload(new) }
    }

    func reloadFailed(_ reason: String) throws {
        let agent = agent
        try blocking { await agent.reloadFailed(reason) }
    }

    func stop() { agent.stop() }

    /// Waits until the agent has ended.
    func waitUntilStopped() throws {
        let running = running
        try blocking { try await running.value }
    }

    private func blocking(_ body: @escaping @Sendable () async throws -> Void) throws {
        let done = DispatchSemaphore(value: 0)
        let failure = Mutex<(any Error)?>(nil)
        // On the agent's own loop: the shared pool may be full of tests.
        Task(executorPreference: agent.loop) {
            do { try await body() } catch { failure.withLock { $0 = error } }
            done.signal()
        }
        guard done.wait(timeout: .now() + .seconds(Wire.patience)) == .success else {
            throw Wire.Failure.timedOut(received: "the agent did not finish")
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// Everything that was logged.
final class CapturedLog: LogSink {
    private let bytes = Mutex<[UInt8]>([])

    func write(_ lines: Span<UInt8>) {
        bytes.withLock { bytes in
            for index in lines.indices { bytes.append(lines[index]) }
        }
    }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}

/// Runs the real agent while `body` talks to it, blocking its own thread as it likes; then stops the agent.
///
/// - Parameters:
///   - ip: of the TCP listener.
///   - agentUID: whose calls are permitted besides root's.
///   - sink: takes the log in place of `AgentUnderTest.log`.
///   - configure: gets a folder for files, and makes credentials and routes.
///
/// Its loops take each turn for a crowded one, as they are under load; the demo's and the program's own do not where there is
/// little to do.
func withAgent(
    ip: String = "127.0.0.1", agentUID: UInt32 = getuid(), sink: (any LogSink)? = nil,
    clock: any HostClock = SystemClock(),
    groupLookUps: GroupLookUps = .ofThisHost, crowd: EventLoop.Crowd = .init(events: 0),
    _ configure: (inout Configuration, ScratchFolder) throws -> Void,
    _ body: @Sendable (AgentUnderTest) throws -> Void
) async throws {
    let folder = ScratchFolder()
    var configuration = Configuration(listen: ListenSpec(), threads: 2, allow: AllowSpec())
    configuration.timeouts.drain = .seconds(2)
    try configure(&configuration, folder)
    guard let address = SocketAddress(ip: ip, port: 0) else { return }
    let listeners = [
        try ListeningSocket(unixPath: folder.path("agent.sock"), mode: 0o666), try ListeningSocket(tcp: address),
    ]
    unsafe chmod(folder.path, 0o755)
    let log = CapturedLog()
    let control = try EventLoop(name: "control")
    try control.start()
    defer { control.stop() }
    let agent = Agent(
        on: control, configuration: configuration, listeners: listeners,
        log: Log(level: .debug, style: .json, sink: sink ?? log), agentUID: agentUID,
        clock: clock, groupLookUps: groupLookUps, crowd: crowd)
    let running = await agent.startListening(on: control)
    let subject = AgentUnderTest(
        agent: agent, tcp: listeners[1].address, unix: listeners[0].address, folder: folder, log: log,
        running: running, configuration: configuration)
    do {
        try await LoopActor.with { _, _, _ in try body(subject) }
    } catch {
        agent.stop()
        throw error
    }
    agent.stop()
    try await running.value
}

extension Agent {
    /// Runs it on `control`, its own loop, and returns once it listens, or has ended before.
    func startListening(on control: EventLoop) async -> Task<Void, any Error> {
        let (starts, start) = AsyncStream<Bool>.makeStream()
        let running = Task(executorPreference: control) {
            defer { start.finish() }
            try await self.run { event in
                if case .listening = event { start.yield(true) }
            }
        }
        for await isListening in starts where isListening { break }
        return running
    }
}

/// The agent before one upstream: the route `/api/` with `token`, or where that cannot be had, `key`.
///
/// - Parameters:
///   - clock: of the agent, by which credentials end.
///   - isNarrow: the kernel takes about 56 KiB for the upstream before it reads; usually it takes megabytes.
func withGateway(
    ip: String = "127.0.0.1", tls: TLSWorld? = nil, agentUID: UInt32 = getuid(), clock: any HostClock = SystemClock(),
    isNarrow: Bool = false,
    groupLookUps: GroupLookUps = .ofThisHost, crowd: EventLoop.Crowd = .init(events: 0),
    _ configure: (inout Configuration, ScratchFolder) throws -> Void = { _, _ in },
    route change: (inout RouteSpec) -> Void = { _ in },
    _ body: @Sendable (AgentUnderTest, ScriptedUpstream) throws -> Void
) async throws {
    let upstream = try ScriptedUpstream(tls: try tls?.server(), isNarrow: isNarrow)
    defer { upstream.close() }
    try await withAgent(ip: ip, agentUID: agentUID, clock: clock, groupLookUps: groupLookUps, crowd: crowd) {
        configuration, folder in
        configuration.credentials = [
            "token": CredentialSpec(
                name: "token", source: .file(path: folder.write(Marker.token, to: "token"), field: .raw)),
            "key": CredentialSpec(
                name: "key", kind: .key, source: .file(path: folder.write(Marker.key, to: "key"), field: .raw),
                form: .apiKey),
        ]
        var route = RouteSpec.test("/api/", host: upstream.host, port: upstream.port, isTLS: tls != nil)
        if let tls { route.tls.authoritiesPath = tls.authorityFile }
        change(&route)
        configuration.routes = [route]
        try configure(&configuration, folder)
    } _: { agent in
        try body(agent, upstream)
    }
}

/// Secrets that are looked for afterwards in everything the agent wrote.
enum Marker {
    static let token = "marker-token-3f9a"
    static let key = "marker-key-77c1"
}

extension RouteSpec {
    /// To an upstream on this host, with `token` and then `key`.
    static func test(
        _ prefix: String, host: String = "127.0.0.1", port: UInt16, path: String = "/v1/", isTLS: Bool = false
    ) -> RouteSpec {
        RouteSpec(
            prefix: prefix,
            upstream: UpstreamSpec(transport: isTLS ? .tls : .plain, host: host, port: port, path: path),
            injections: [
                InjectionSpec(chain: [
                    InjectionLink(credential: "token", form: .bearer), InjectionLink(credential: "key", form: .apiKey),
                ])
            ],
            allow: AllowSpec())
    }
}
