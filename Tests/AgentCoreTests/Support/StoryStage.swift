// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// The agent between an issuer and a gateway, and a caller who keeps a record of what he got.
final class StoryStage: Sendable {
    let issuer: EmbeddedIssuer
    let folder: ScratchFolder
    let log: CapturedLog
    private let gateway: EmbeddedGateway
    private let tool: Tool
    private let url: String
    private let calls = Shared<[(status: Int, credential: String)]>([])

    /// Calls that are made before something that is waited for counts as not coming; each takes some milliseconds.
    static let patience = 3000

    fileprivate init(
        _ issuer: EmbeddedIssuer, _ gateway: EmbeddedGateway, _ folder: ScratchFolder, _ log: CapturedLog, url: String
    ) throws {
        self.issuer = issuer
        self.gateway = gateway
        self.folder = folder
        self.log = log
        self.url = url
        tool = try Tool()
    }

    struct Impatience: Error {
        let awaited: String
        let calls: [String]
    }

    /// The names of the credentials that good answers were given for, and the statuses of the others.
    var used: [String] { calls.value.filter { $0.status == 200 }.map(\.credential) }
    var failed: [Int] { calls.value.map(\.status).filter { $0 != 200 } }
    /// Requests that came to the gateway with a credential that it does not accept.
    var gatewayRefusals: Int { gateway.seen.count { $0.credential == nil } }

    func call(_ route: String = "/api/") async throws {
        let answer = try await tool.call("GET", "\(url)\(route)v1/models")
        let call = (status: answer.status, credential: answer["gateway-agent-credential"] ?? "")
        calls.update { $0.append(call) }
        await tool.pause(.milliseconds(10))
    }

    /// Calls until an answer was given for this credential.
    func call(until credential: String) async throws {
        for _ in 0..<Self.patience {
            try await call()
            if let last = calls.value.last, last.status == 200, last.credential == credential { return }
        }
        throw Impatience(awaited: credential, calls: calls.value.suffix(5).map { "\($0.status) \($0.credential)" })
    }

    func text(_ path: String) async throws -> String {
        try await tool.call("GET", "\(url)\(path)").text
    }

    /// What is wrong with the token, as the status shows it.
    func failure() async throws -> (code: String, sentence: String)? {
        let status = try await tool.call("GET", "\(url)/-/status").json
        let token = status?["credentials"]?.arrayValue?.first { $0["name"]?.stringValue == "token" }
        guard let code = token?["error"]?["code"]?.stringValue,
            let sentence = token?["error"]?["message"]?.stringValue
        else { return nil }
        return (code, sentence)
    }

    /// What the log says of credentials.
    var news: [String] {
        log.text.split(separator: "\n").compactMap { line in
            (try? JSONValue.decode(Array(line.utf8).span))?["change"]?.stringValue
        }
    }

    func writeRequestToken() throws {
        folder.write(TestToken.text(issuer.requestToken), to: "request-token")
    }
}

extension Tool {
    /// Between one call and the next.
    func pause(_ length: Duration) async {
        let parker = Parker(on: loop)
        while await parker.park(until: loop.now + length.nanoseconds) != .timedOut {}
    }
}

/// - Parameters:
///   - life: of a token.
///   - timeLimit: of a question to the issuer. Long, so that a machine that stands still fails none that goes well; short
///     only where the issuer never answers.
///   - before: done before the agent starts.
func withStory(
    life: Duration = .seconds(3), timeLimit: Duration = .seconds(20), fallback: Set<FallbackReason> = [.unavailable],
    prefetch: Bool = false,
    before: (EmbeddedIssuer) async throws -> Void = { _ in }, _ body: (StoryStage) async throws -> Void
) async throws {
    let issuer = try await EmbeddedIssuer.start(audience: "https://gateway.example", life: life)
    let gateway = try await EmbeddedGateway.start(
        issuerURL: issuer.url, audience: issuer.audience, key: TestToken.secret("key-of-the-stories"),
        keySet: issuer.keySet)
    let folder = ScratchFolder()
    var configuration = Configuration(listen: ListenSpec(), threads: 2, allow: AllowSpec())
    configuration.timeouts.drain = .seconds(2)
    folder.write(TestToken.text(issuer.requestToken), to: "request-token")
    let http = issuer.storySource(folder, timeLimit: timeLimit)
    configuration.credentials = [
        "token": CredentialSpec(name: "token", source: .http(http), prefetch: prefetch),
        "same-token": CredentialSpec(name: "same-token", source: .http(http)),
        "key": CredentialSpec(
            name: "key", kind: .key, source: .file(path: folder.write("key-of-the-stories", to: "key"), field: .raw),
            form: .apiKey),
    ]
    configuration.routes = [("/api/", "token"), ("/other/", "same-token")].map { prefix, name in
        var route = RouteSpec.test(prefix, port: gateway.server.address.port ?? 0, path: "/")
        route.injections = [
            InjectionSpec(chain: [
                InjectionLink(credential: name, form: .bearer), InjectionLink(credential: "key", form: .apiKey),
            ])
        ]
        route.fallback = fallback
        route.showsCredential = true
        return route
    }
    try await before(issuer)
    guard let address = SocketAddress(ip: "127.0.0.1", port: 0) else { return }
    let listener = try ListeningSocket(tcp: address)
    let log = CapturedLog()
    let control = try EventLoop(name: "control")
    try control.start()
    defer { control.stop() }
    let agent = Agent(
        on: control, configuration: configuration, listeners: [listener],
        log: Log(level: .info, style: .json, sink: log), agentUID: getuid())
    let running = await agent.startListening(on: control)
    let stage = try StoryStage(issuer, gateway, folder, log, url: "http://\(listener.address)")
    let result: Result<Void, any Error>
    do { result = .success(try await body(stage)) } catch { result = .failure(error) }
    agent.stop()
    _ = await running.result
    await gateway.stop()
    await issuer.stop()
    try result.get()
}

extension EmbeddedIssuer {
    /// How the stories ask it; the request token lies in the folder.
    func storySource(_ folder: ScratchFolder, timeLimit: Duration = .seconds(20)) -> HTTPSourceSpec {
        var http = HTTPSourceSpec(target: .url("\(url)/token"), method: "POST")
        http.fields = [
            .init(
                name: "authorization",
                value: Template(parts: [.literal("Bearer "), .file(path: folder.path("request-token"))])),
            .init(name: "content-type", value: Template(parts: [.literal("application/json")])),
        ]
        http.body = Template(parts: [.literal("{\"aud\":\"\(audience)\"}")])
        http.field = .json(token: "/token", expiry: "/expires_in")
        http.timeLimit = timeLimit
        return http
    }
}
