// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// `gateway-agent demo`: the agent at work between an issuer and a gateway of its own.
enum Demo {
    /// Runs on the calling thread until the story is told (`once`), or until SIGINT or SIGTERM.
    ///
    /// - Parameter printJSON: begins with one line for programs: where the agent listens, and its routes.
    static func run(once: Bool, printJSON: Bool) -> ExitCode {
        do {
            let loop = try EventLoop(name: "demo")
            let director = DemoDirector(on: loop, DemoNarrator(.output), once: once, printJSON: printJSON)
            Task(executorPreference: loop) {
                await director.run()
                loop.stop()
            }
            loop.run()
            return director.result
        } catch {
            let _: Bool = StandardStream.error.write("gateway-agent: \(error)\n".utf8.span)
            return .system
        }
    }
}

/// Tells what happens, a line at a time. Any thread.
struct DemoNarrator: LogSink {
    private let print: @Sendable (String) -> Void

    init(_ stream: StandardStream) {
        print = { line in let _: Bool = stream.write("\(line)\n".utf8.span) }
    }

    init(_ print: @escaping @Sendable (String) -> Void) {
        self.print = print
    }

    func say(_ line: String = "") {
        print(line)
    }

    /// The agent's own log, without its dates and without the line that each call makes.
    func write(_ lines: Span<UInt8>) {
        for line in String(decoding: [UInt8](of: lines), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, !words[1].hasPrefix("info  call ") else { continue }
            say("           | agent: \(words[1])")
        }
    }
}

/// Runs the demo and takes the signals.
actor DemoDirector: LoopBound {
    nonisolated let loop: EventLoop
    private let narrator: DemoNarrator
    private let once: Bool
    private let printJSON: Bool
    private let parker: Parker
    private var signals: SignalWatch?
    private var story: DemoStory?
    private var isStopping = false
    private let outcome = Mutex(ExitCode.software)

    init(on loop: EventLoop, _ narrator: DemoNarrator, once: Bool, printJSON: Bool) {
        self.loop = loop
        self.narrator = narrator
        self.once = once
        self.printJSON = printJSON
        parker = Parker(on: loop)
    }

    nonisolated var result: ExitCode { outcome.withLock { $0 } }

    func run() async {
        do {
            signals = try SignalWatch(on: loop) { [self] signal in
                assumeIsolated { director in
                    if signal != .hangup { director.stop() }
                }
            }
            let key = Secret(environmentVariable: "GATEWAY_AGENT_DEMO_KEY")
            // A program reads standard output; the log goes where those of programs go.
            let sink: any LogSink = printJSON ? StandardStream.error : narrator
            let log = Log(level: printJSON ? .debug : .info, style: .plain(.time), sink: sink)
            if !printJSON { narrator.say("An issuer, a gateway, and the agent between them, on this host.") }
            let stage = try await DemoStage.start(key: key, log: log)
            introduce(stage)
            let result = await play(stage)
            await stage.stop()
            outcome.withLock { $0 = result }
        } catch {
            narrator.say("the demo cannot start: \(error)")
            outcome.withLock { $0 = .system }
        }
        signals?.close()
    }

    private func play(_ stage: DemoStage) async -> ExitCode {
        guard once else {
            if !printJSON { follow(stage) }
            while !isStopping { _ = await parker.park() }
            return .success
        }
        let story = DemoStory(stage, narrator, on: loop)
        self.story = story
        do {
            try await story.tell()
            return .success
        } catch {
            narrator.say("\nNot as told: \(error)")
            return .software
        }
    }

    private func stop() {
        isStopping = true
        story?.assumeIsolated { $0.stop() }
        parker.unpark()
    }

    // MARK: Words

    private func introduce(_ stage: DemoStage) {
        if printJSON {
            let addresses: JSONValue = [
                "agent": ["tcp": .string(stage.url), "unix": .string(stage.folder.socketPath)],
                "routes": ["openai": "/openai/", "anthropic": "/anthropic/"],
                "issuer": .string(stage.issuer.url), "gateway": .string(stage.gateway.url),
                "configuration": .string(stage.folder.configurationPath),
            ]
            narrator.say(addresses.text)
        }
        narrator.say(
            """

              issuer   \(stage.issuer.url)   signs tokens that live \(stage.issuer.life) s
              gateway  \(stage.gateway.url)   takes such a token, or one API key, and nothing else
              agent    \(stage.url)   gets the token, keeps it fresh, falls back to the key
                       \(stage.folder.socketPath)
                       \(stage.folder.configurationPath)

            Call it yourself, without a secret:

              curl \(stage.url)/openai/v1/chat/completions -H 'content-type: application/json' \\
                   -d '{"model":"demo","messages":[{"role":"user","content":"hello"}]}'
              curl -N --unix-socket \(stage.folder.socketPath) http://localhost/anthropic/v1/messages \\
                   -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \\
                   -d '{"model":"demo-slow","max_tokens":99,"stream":true,"messages":[{"role":"user","content":"take your time"}]}'
              curl -i \(stage.url)/openai/v1/models
              curl \(stage.url)/-/status

            """)
    }

    /// Without a story: what happens, as it happens.
    private func follow(_ stage: DemoStage) {
        narrator.say(
            """
            Have the issuer fail, and do right again. It knows \(IssuerFault.words.map(\.word).joined(separator: ", ")).

              curl '\(stage.gateway.url)/demo/fault?kind=die'
              curl '\(stage.gateway.url)/demo/fault?kind=none'

            Ctrl-C ends it. What happens:

            """)
        let narrator = narrator
        stage.issuer.onMint { narrator.say("           | issuer: minted token \($0.id)") }
        stage.gateway.onCall { seen in narrator.say("           | gateway: \(seen)") }
    }
}

extension EmbeddedGateway.Seen: CustomStringConvertible {
    var description: String {
        let what =
            switch credential {
            case .token(let id, _): "with token \(id)"
            case .key: "with the API key"
            case nil: "without a credential that is accepted"
            }
        let end = wasAbandoned ? "the caller left" : status.map { "answered \($0)" } ?? "cut"
        return "\(method) \(path) \(what), \(end)"
    }
}
