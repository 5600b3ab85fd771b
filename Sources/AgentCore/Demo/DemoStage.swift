// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Everything that the demo runs: an issuer, a gateway, and the real agent between them with a real configuration.
final class DemoStage: Sendable {
    let folder: DemoFolder
    let issuer: EmbeddedIssuer
    let gateway: EmbeddedGateway
    /// Where the agent listens.
    let tcp: SocketAddress
    private let agent: Agent
    private let running: Task<Void, any Error>

    /// Seconds that a token lives: long enough to be seen, short enough to be waited for.
    static let tokenLife = Duration.seconds(6)
    static let audience = "https://gateway.example"

    /// Starts all of it; returns when the agent serves.
    ///
    /// - Parameters:
    ///   - key: the API key that the gateway takes; drawn if it is nil.
    ///   - log: of the agent.
    static func start(key: Secret? = nil, log: Log) async throws -> DemoStage {
        let key = key ?? Secret(copying: "key-\(Base64URL.encode(RandomBytes.make(18)))".utf8.span)
        let issuer = try await EmbeddedIssuer.start(audience: audience, life: tokenLife)
        do {
            let gateway = try await EmbeddedGateway.start(
                issuerURL: issuer.url, audience: audience, key: key, faults: issuer)
            do {
                return try await DemoStage(issuer, gateway, log: log)
            } catch {
                await gateway.stop()
                throw error
            }
        } catch {
            await issuer.stop()
            throw error
        }
    }

    private init(_ issuer: EmbeddedIssuer, _ gateway: EmbeddedGateway, log: Log) async throws {
        self.issuer = issuer
        self.gateway = gateway
        folder = try DemoFolder()
        try folder.write(issuer.requestToken, to: folder.requestTokenPath)
        try folder.write(gateway.key, to: folder.keyPath)
        try folder.write(
            Self.configuration(folder: folder, issuerURL: issuer.url, gatewayURL: gateway.url),
            to: folder.configurationPath)
        let configuration = try ConfigurationFiles(
            mainFile: folder.configurationPath, scope: .user(runtimeFolder: nil)
        ).load()
        let listeners = [
            try ListeningSocket(unixPath: folder.socketPath, mode: 0o600),
            try Self.tcpListener(configuration.listen),
        ]
        tcp = listeners[1].address
        let loop = try EventLoop(name: "control")
        try loop.start()
        let agent = Agent(
            on: loop, configuration: configuration, listeners: listeners, log: log, agentUID: HostProcess.userID)
        self.agent = agent
        let (served, tell) = AsyncStream.makeStream(of: Void.self)
        // It ends with `stop`, which waits for it.
        running = Task(executorPreference: loop) {
            defer {
                tell.finish()
                loop.stop()
            }
            try await agent.run { event in
                if case .listening = event { tell.yield() }
            }
        }
        for await _ in served { return }
        try await running.value
    }

    private static func tcpListener(_ listen: ListenSpec) throws -> ListeningSocket {
        guard let first = listen.tcp.first, let address = SocketAddress(ip: first.ip, port: first.port) else {
            throw DemoFailure(description: "the demo's configuration has no port")
        }
        return try ListeningSocket(tcp: address)
    }

    /// Ends the agent first, so that nobody calls what is gone.
    func stop() async {
        agent.stop()
        _ = await running.result
        await gateway.stop()
        await issuer.stop()
        folder.remove()
    }

    /// `http://127.0.0.1:PORT`
    var url: String { "http://\(tcp)" }

    /// A configuration as one writes it by hand.
    private static func configuration(folder: DemoFolder, issuerURL: String, gatewayURL: String) -> String {
        """
        // The demo's configuration: one identity, one key to fall back to, two routes to one gateway.
        {
          listen: { unix: "\(folder.socketPath)", tcp: "127.0.0.1:0" },
          credentials: {
            // The identity of this host: the issuer signs a token of a few seconds for it.
            "demo-oidc": {
              source: "http",
              method: "POST",
              url: "\(issuerURL)/token",
              headers: {
                authorization: "Bearer ${file:\(folder.requestTokenPath)}",
                "content-type": "application/json",
              },
              body: '{"aud":"\(audience)"}',
              field: "/token",
              timeout: "20s",
            },
            // What is sent while no identity can be had.
            "demo-key": { source: "file", path: "\(folder.keyPath)", kind: "key" },
          },
          routes: {
            "/openai/": {
              upstream: "\(gatewayURL)/",
              gateway: "openai",
              chain: ["demo-oidc", "demo-key"],
              showCredential: true,
            },
            "/anthropic/": {
              upstream: "\(gatewayURL)/",
              gateway: "anthropic",
              chain: ["demo-oidc", { credential: "demo-key", header: "x-api-key" }],
              showCredential: true,
            },
          },
        }

        """
    }
}
