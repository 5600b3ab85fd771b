// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The story of the agent, told while it happens. Each step says what will be seen and is checked, against what the
/// gateway saw too; the first that is not as told ends it.
actor DemoStory: LoopBound {
    nonisolated let loop: EventLoop
    private let stage: DemoStage
    private let narrator: DemoNarrator
    private let client: EmbeddedClient
    private let pacer: Parker
    private let began: Int64
    private var callCount = 0
    /// Of the stream under way; nil before its head came, and after its end.
    private var streamedToken: String?
    /// Of the stream whose head came last.
    private var lastStreamedToken: String?
    /// Set to end the story early.
    private var isStopped = false

    init(_ stage: DemoStage, _ narrator: DemoNarrator, on loop: EventLoop) {
        self.stage = stage
        self.narrator = narrator
        self.loop = loop
        client = EmbeddedClient(loop: loop)
        pacer = Parker(on: loop)
        began = SystemClock.monotonic()
    }

    /// How long a step may take, nanoseconds: many lives of a token, and steps of the back-off.
    private static let stepLimit: Int64 = 60_000_000_000
    /// How often a step is begun anew that shows nothing, because this host stood still while a token's life went by.
    private static let attempts = 5
    /// Between two calls, nanoseconds.
    private static let pace: Int64 = 100_000_000
    /// What SDKs insist on being given. It is no secret, and must not come to the gateway.
    private static let placeholder = "no-secret-here"

    /// One call of a tool, and the credential that the gateway found on it.
    private struct Call: Sendable {
        let text: String
        /// As the gateway says: `oidc` or `api-key`.
        let credential: String
        /// `jti` of the token; empty for the key.
        let token: String
        /// As the agent says.
        let named: String
    }

    /// Plays all steps.
    func tell() async throws {
        let first = try await callsWithoutSecret()
        try await streamsOverUnixSocket(first)
        let second = try await renewsUnderway()
        try await losesIssuer(second)
        try await returnsToIdentity(second)
        try sumUp()
    }

    func stop() {
        isStopped = true
        pacer.unpark()
    }

    // MARK: Steps

    private func callsWithoutSecret() async throws(DemoFailure) -> Call {
        say("A tool calls. Its SDK insists on a key, so it has a placeholder.")
        let start = SystemClock.monotonic()
        let call = try await chat("hello")
        try expect(call.text == "hello", "the answer is \"\(call.text)\"")
        try expect(call.credential == "oidc" && !call.token.isEmpty, "the gateway found \(call.credential)")
        try expect(call.named == "demo-oidc", "the agent says it sent \(call.named)")
        let minted = stage.issuer.minted
        try expect(minted.first?.id == call.token, "it was sent with another token than the first")
        // Where this host stood still for so long it may be renewed already, see `RenewalPolicy`.
        let isRenewalDue = SystemClock.monotonic() - start >= (DemoStage.tokenLife / 6).nanoseconds
        try expect(minted.count == 1 || isRenewalDue, "the issuer minted \(minted.count) tokens")
        try expect(stage.gateway.placeholderCount == 0, "the placeholder came through to the gateway")
        note("200: the gateway verified token \(call.token), and never saw the placeholder.")
        return call
    }

    private func streamsOverUnixSocket(_ first: Call) async throws(DemoFailure) {
        say("Another tool streams, from the other API, over the Unix socket.")
        var token = first.token
        for _ in 0..<Self.attempts {
            let minted = stage.issuer.mintCount
            let (answer, pieces) = try await stream(
                "/anthropic/v1/messages", model: "demo-slow", "one token serves all",
                at: .unix(path: stage.folder.socketPath))
            try expect(answer.text.contains("event: message_stop"), "the stream did not end as it should")
            if answer["x-demo-token"] == token, stage.issuer.mintCount == minted {
                note("200, in \(pieces) pieces, with the same token: it came from the cache.")
                return
            }
            // It was renewed meanwhile. Were there no cache, the next would have another one again.
            token = answer["x-demo-token"] ?? ""
        }
        throw DemoFailure(description: "each stream was sent with another token, or the issuer was asked again")
    }

    private func renewsUnderway() async throws -> Call {
        say("A slow stream begins, and calls go on beside it until the token is renewed under them.")
        let words = (1...22).map { "\($0)" }.joined(separator: " ")
        for _ in 0..<Self.attempts {
            lastStreamedToken = nil
            async let slow = stream("/openai/v1/chat/completions", model: "demo-slow", words, at: endpoint)
            let calls = try await callUntil("the token is renewed") { call in
                lastStreamedToken.map { isNewer(call.token, than: $0) } ?? false
            }
            let isStreaming = streamedToken != nil
            guard let renewed = calls.last else { throw DemoFailure(description: "there was no call") }
            try expect(calls.allSatisfy { $0.credential == "oidc" }, "a call went without identity")
            let minted = stage.issuer.minted
            // The first is renewed early, for the sake of other hosts; the others after two thirds of their life. In whole
            // seconds.
            let pairs = zip(minted, minted.dropFirst()).enumerated()
            let areApart = pairs.allSatisfy { $1.1.issued - $1.0.issued >= ($0 == 0 ? 1 : 3) }
            try expect(areApart, "the issuer minted \(minted.count) tokens, two of them too soon after each other")
            let (answer, pieces) = try await slow
            try expect(answer.text.contains("[DONE]"), "the stream did not end as it should")
            // One that was over before the renewal shows nothing.
            guard isStreaming else { continue }
            note("\(calls.count) calls, all 200, the last with token \(renewed.token): nobody waited for it.")
            note("The stream ran through the renewal, \(pieces) pieces in order.")
            return renewed
        }
        throw DemoFailure(description: "the stream was over before the renewal")
    }

    /// Whether the issuer minted `token` after `other`.
    private func isNewer(_ token: String, than other: String) -> Bool {
        let minted = stage.issuer.minted.map(\.id)
        guard let place = minted.firstIndex(of: token), let before = minted.firstIndex(of: other) else { return false }
        return place > before
    }

    private func losesIssuer(_ second: Call) async throws(DemoFailure) {
        say("The issuer goes down. The token it signed is good for a while; then the key has to do.")
        var calls: [Call] = []
        for attempt in 1...Self.attempts {
            await stage.issuer.fail(.down)
            calls = try await callUntil("the key is sent") { $0.credential == "api-key" }
            // Its life may have been over before the first call; a fresh one has all of it.
            if calls.count > 1 || attempt == Self.attempts { break }
            try await healIssuer()
            _ = try await callUntil("identity is back") { $0.credential == "oidc" }
        }
        let withToken = calls.count { $0.credential == "oidc" }
        try expect(withToken > 0, "the valid token was given up when the issuer went down")
        try expect(calls.last?.named == "demo-key", "the agent says it sent \(calls.last?.named ?? "nothing")")
        note("\(withToken) calls with the token that was still valid, then the key. All 200.")
        let status = try await get("/-/status")
        let credential = status.json?["credentials"]?.arrayValue?.first { $0["name"]?.stringValue == "demo-oidc" }
        guard let reason = credential?["error"]?["message"]?.stringValue else {
            throw DemoFailure(description: "the status does not say why demo-oidc is not in use")
        }
        note("gateway-agent status says why: \(reason)")
    }

    private func returnsToIdentity(_ second: Call) async throws(DemoFailure) {
        say("The issuer is back, and nobody does anything about it.")
        try await healIssuer()
        let calls = try await callUntil("identity is back") { $0.credential == "oidc" }
        guard let last = calls.last else { throw DemoFailure(description: "there was no call") }
        try expect(last.token != second.token && last.named == "demo-oidc", "an old token was sent")
        note("\(calls.count - 1) calls with the key, then token \(last.token). All 200.")
    }

    private func healIssuer() async throws(DemoFailure) {
        do { try await stage.issuer.heal() } catch {
            throw DemoFailure(description: "the issuer cannot listen: \(error)")
        }
    }

    private func sumUp() throws(DemoFailure) {
        let seen = stage.gateway.seen
        // A token whose end came while it was on its way: the agent sent that call again, with the key.
        let late = seen.count { $0.refusal == TokenVerifier.Rejection.expired.rawValue }
        let refused = seen.count { $0.credential == nil || $0.status != 200 } - min(late, 1)
        try expect(refused == 0, "the gateway refused \(refused) calls")
        try expect(stage.gateway.placeholderCount == 0, "the placeholder came through to the gateway")
        let keys = seen.count { $0.credential == .key }
        narrator.say(
            """

            As told: \(seen.count - late) calls, none failed, none carried a secret of its own; \
            \(stage.issuer.mintCount) tokens minted, \(keys) calls with the key.
            """)
    }

    // MARK: Calls

    private var endpoint: Endpoint { .host("127.0.0.1", port: stage.tcp.port ?? 0) }

    private func chat(_ text: String) async throws(DemoFailure) -> Call {
        let answer = try await post(
            "/openai/v1/chat/completions",
            ["model": "demo", "messages": [["role": "user", "content": .string(text)]]], at: endpoint)
        let said = answer.json?["choices"]?.arrayValue?.first?["message"]?["content"]?.stringValue
        return Call(
            text: said ?? "", credential: answer["x-demo-credential"] ?? "none", token: answer["x-demo-token"] ?? "",
            named: answer["gateway-agent-credential"] ?? "")
    }

    /// Calls again and again; each call has to succeed.
    private func callUntil(
        _ what: String, _ isDone: (Call) -> Bool
    ) async throws(DemoFailure) -> [Call] {
        let deadline = loop.now + Self.stepLimit
        var calls: [Call] = []
        while true {
            let call = try await chat("call \(callCount)")
            try expect(call.text == "call \(callCount)", "the answer to call \(callCount) is \"\(call.text)\"")
            callCount += 1
            calls.append(call)
            if isDone(call) { return calls }
            try expect(loop.now < deadline, "after \(calls.count) calls, \(what) has not come true")
            _ = await pacer.park(until: loop.now + Self.pace)
            try expect(!isStopped, "it was stopped")
        }
    }

    private func stream(
        _ path: String, model: String, _ text: String, at endpoint: Endpoint
    ) async throws(DemoFailure) -> (EmbeddedClient.Answer, pieces: Int) {
        var pieces = 0
        defer { streamedToken = nil }
        let answer = try await post(
            path,
            [
                "model": .string(model), "max_tokens": 256, "stream": true,
                "messages": [["role": "user", "content": .string(text)]],
            ], at: endpoint
        ) {
            streamedToken = $0["x-demo-token"]
            lastStreamedToken = streamedToken
        } onPiece: { _ in
            pieces += 1
        }
        return (answer, pieces)
    }

    private func post(
        _ path: String, _ document: JSONValue, at endpoint: Endpoint,
        onHead: (EmbeddedClient.Answer) -> Void = { _ in }, onPiece: ([UInt8]) -> Void = { _ in }
    ) async throws(DemoFailure) -> EmbeddedClient.Answer {
        let fields = [
            ("Authorization", "Bearer \(Self.placeholder)"), ("Content-Type", "application/json"),
            ("anthropic-version", "2023-06-01"),
        ]
        return try await call("POST", path, endpoint, fields, document.bytes, onHead, onPiece)
    }

    private func get(_ path: String) async throws(DemoFailure) -> EmbeddedClient.Answer {
        try await call("GET", path, endpoint, [], nil, { _ in }, { _ in })
    }

    private func call(
        _ method: String, _ path: String, _ endpoint: Endpoint, _ fields: [(String, String)], _ body: [UInt8]?,
        _ onHead: (EmbeddedClient.Answer) -> Void, _ onPiece: ([UInt8]) -> Void
    ) async throws(DemoFailure) -> EmbeddedClient.Answer {
        do throws(EmbeddedClient.Failure) {
            let answer = try await client.call(
                method, path, at: endpoint, fields: fields, body: body, onHead: onHead, onPiece: onPiece)
            try check(answer, path)
            return answer
        } catch {
            throw DemoFailure(description: "\(path): \(error)")
        }
    }

    private func check(_ answer: EmbeddedClient.Answer, _ path: String) throws(EmbeddedClient.Failure) {
        guard answer.status != 200 else { return }
        throw EmbeddedClient.Failure(description: "\(answer.status) \(String(printing: answer.body, limit: 300))")
    }

    // MARK: Words

    private func expect(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(DemoFailure) {
        if !holds { throw DemoFailure(description: otherwise()) }
    }

    private func say(_ line: String) {
        let tenths = (SystemClock.monotonic() - began) / 100_000_000
        let time = "\(tenths / 10).\(tenths % 10) s"
        narrator.say("\n\(String(repeating: " ", count: max(0, 8 - time.count)))\(time)   \(line)")
    }

    private func note(_ line: String) {
        narrator.say("           \(line)")
    }
}
