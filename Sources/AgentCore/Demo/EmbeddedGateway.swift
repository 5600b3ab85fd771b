// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// An AI gateway on this host that is as strict as a real one: the upstream of the demo and of the test suite.
///
/// It takes an OpenID Connect token of one issuer and audience, verified by the issuer's published keys, or one API key
/// (`Authorization: Bearer` or `x-api-key`). Its model says again what the user said last.
///
/// | request | answer |
/// | --- | --- |
/// | `POST /v1/chat/completions` | OpenAI's chat completion, streamed on `stream: true` |
/// | `POST /v1/responses` | OpenAI's response, streamed on `stream: true` |
/// | `POST /v1/messages` | Anthropic's message, streamed on `stream: true` |
/// | `GET /v1/models`, `/v1/models/ID` | the models `demo` and `demo-slow`, which thinks between the words |
/// | `/demo/…` | what tests need, see `EmbeddedGateway+Probes` |
///
/// Every answer tells what was accepted, and never the credential: `x-demo-credential` (`oidc` or `api-key`),
/// `x-demo-token` and `x-demo-expires` (`jti` and `exp` of the token), `x-demo-fields` (the names received).
///
/// ## Concurrency
/// Requests are answered on the server's loop. What was seen is read from anywhere, behind a mutex.
final class EmbeddedGateway: EmbeddedHandler {
    let server: EmbeddedServer
    /// The API key that is accepted besides tokens.
    let key: Secret
    /// For which its tokens have to be.
    let audience: String
    private let issuerURL: String
    /// Whose faults can be ordered here by `/demo/fault`, as at the issuer itself, which may be down.
    private let faults: EmbeddedIssuer?
    private let clock: any HostClock
    private let state: Mutex<State>

    /// What came with a request, after it was verified.
    enum Credential: Sendable, Equatable {
        case token(id: String, expires: Int64)
        case key
    }

    /// One request as the gateway saw it.
    struct Seen: Sendable {
        let method: String
        let path: String
        /// nil: refused.
        let credential: Credential?
        /// Why it was refused.
        let refusal: String?
        /// nil: it was cut before an answer.
        let status: Int?
        /// The caller left before the answer was whole.
        let wasAbandoned: Bool
    }

    private struct State {
        var verifier: TokenVerifier?
        var seen: [Seen] = []
        var begun = 0
        var placeholderCount = 0
        var refusedTokens: Set<String> = []
        var refusals = 0
        var onCall: (@Sendable (Seen) -> Void)?
    }

    /// Binds a port and serves.
    ///
    /// - Parameters:
    ///   - issuerURL: whose tokens are accepted. Its keys are fetched when the first token comes, and anew when one is
    ///     signed by an unknown key.
    ///   - keySet: the issuer's keys, so that it need not be asked.
    static func start(
        issuerURL: String, audience: String, key: Secret, keySet: JSONValue? = nil, faults: EmbeddedIssuer? = nil,
        clock: any HostClock = SystemClock()
    ) async throws -> EmbeddedGateway {
        let gateway = EmbeddedGateway(
            server: try EmbeddedServer(named: "gateway"), issuerURL: issuerURL, audience: audience, key: key,
            keySet: keySet, faults: faults, clock: clock)
        try await gateway.server.start(gateway)
        return gateway
    }

    private init(
        server: EmbeddedServer, issuerURL: String, audience: String, key: Secret, keySet: JSONValue?,
        faults: EmbeddedIssuer?, clock: any HostClock
    ) {
        self.server = server
        self.issuerURL = issuerURL
        self.audience = audience
        self.key = key
        self.faults = faults
        self.clock = clock
        state = Mutex(
            State(verifier: keySet.map { TokenVerifier(issuer: issuerURL, audience: audience, keySet: $0) }))
    }

    func stop() async {
        await server.stop()
    }

    var url: String { server.url }

    // MARK: What it saw

    private static let seenLimit = 100_000

    /// The calls that are done, in order, at most `seenLimit` of them; those of `/demo/fault` do not count.
    var seen: [Seen] { state.withLock { $0.seen } }
    /// How many calls have begun.
    var beginCount: Int { state.withLock { $0.begun } }
    /// How many calls carried a tool's placeholder.
    var placeholderCount: Int { state.withLock { $0.placeholderCount } }

    /// Hears of each call that is done, on the gateway's loop.
    func onCall(_ tell: @escaping @Sendable (Seen) -> Void) {
        state.withLock { $0.onCall = tell }
    }

    // MARK: What it shall refuse

    /// Answers 401 to this token from now on, whatever its life.
    func refuse(tokenID: String) {
        state.withLock { _ = $0.refusedTokens.insert(tokenID) }
    }

    /// Answers 401 to the next calls, whatever they carry.
    func refuseNext(_ count: Int) {
        state.withLock { $0.refusals = count }
    }

    func takeRefusal(_ credential: Credential) -> Bool {
        state.withLock { state in
            if case .token(let id, _) = credential, state.refusedTokens.contains(id) { return true }
            guard state.refusals > 0 else { return false }
            state.refusals -= 1
            return true
        }
    }

    func notePlaceholder() {
        state.withLock { $0.placeholderCount += 1 }
    }

    // MARK: Requests

    func serve(_ call: EmbeddedCall) async throws(EmbeddedCall.Abandoned) {
        if call.request.path == "/demo/fault", let faults { return try await faults.serveFault(call) }
        let shape = APIShape(path: call.request.path)
        state.withLock { $0.begun += 1 }
        var accepted: Credential?
        var refusal: String?
        defer { note(call, accepted, refusal) }
        do throws(APIError) {
            let credential = try await authenticate(call)
            accepted = credential
            describe(call, credential)
        } catch {
            refusal = error.message
            return try await call.answer(error.status, error.fields, json: shape.json(error))
        }
        do {
            try await answer(call)
        } catch let error as APIError {
            try await call.answer(error.status, error.fields, json: shape.json(error))
        } catch {
            throw call.abandon()
        }
    }

    /// - Throws: `APIError` for what is refused, `EmbeddedCall.Abandoned` when nobody is left to be answered.
    private func answer(_ call: EmbeddedCall) async throws {
        switch (call.request.method, call.request.path) {
        case ("POST", "/v1/chat/completions"): try await ChatCompletions.serve(call)
        case ("POST", "/v1/responses"): try await Responses.serve(call)
        case ("POST", "/v1/messages"): try await Messages.serve(call)
        case ("GET", let path) where path.hasPrefix("/v1/models"): try await Models.serve(call)
        case ("HEAD", let path) where path.hasPrefix("/v1/models"): try await Models.serve(call)
        default: try await serveProbe(call)
        }
    }

    /// Says in every answer what was accepted.
    private func describe(_ call: EmbeddedCall, _ credential: Credential) {
        switch credential {
        case .token(let id, let expires):
            call.commonFields.append(("x-demo-credential", "oidc"))
            call.commonFields.append(("x-demo-token", id))
            call.commonFields.append(("x-demo-expires", "\(expires)"))
        case .key:
            call.commonFields.append(("x-demo-credential", "api-key"))
        }
        let names = call.request.fields.map { $0.name.lowercased() }.joined(separator: ",")
        call.commonFields.append(("x-demo-fields", names))
    }

    private func note(_ call: EmbeddedCall, _ credential: Credential?, _ refusal: String?) {
        let seen = Seen(
            method: call.request.method, path: call.request.path, credential: credential, refusal: refusal,
            status: call.status, wasAbandoned: call.isAbandoned)
        let tell = state.withLock { state in
            if state.seen.count == Self.seenLimit { state.seen.removeFirst(Self.seenLimit / 2) }
            state.seen.append(seen)
            return state.onCall
        }
        tell?(seen)
    }
}

// MARK: Credentials

extension EmbeddedGateway {
    /// Values that tools are given in place of a secret. None of them may ever come this far.
    static let placeholders = ["no-secret-here", "placeholder"]

    /// The one credential that a request brings.
    private func authenticate(_ call: EmbeddedCall) async throws(APIError) -> Credential {
        let request = call.request
        if request.fields.contains(where: { field in Self.placeholders.contains { field.value.contains($0) } }) {
            notePlaceholder()
            throw APIError(400, "invalid_request_error", "the request carries a placeholder where a credential belongs")
        }
        let bearers = request.values("authorization")
        let keys = request.values("x-api-key")
        guard bearers.count + keys.count <= 1 else {
            throw APIError(400, "invalid_request_error", "the request carries several credentials")
        }
        guard let value = request.bearerToken ?? keys.first else {
            throw .unauthorized("no credential: send a token or a key as Authorization: Bearer, or a key as x-api-key")
        }
        let credential: Credential
        if key.isEqual(to: Secret(copying: value.utf8.span)) {
            credential = .key
        } else if keys.isEmpty, value.utf8.count(where: { $0 == UInt8(ascii: ".") }) == 2 {
            let claims = try await verify(value)
            credential = .token(id: claims.id, expires: claims.expires)
        } else {
            throw .unauthorized("the key is not known")
        }
        if takeRefusal(credential) { throw .unauthorized("the credential is refused on request") }
        return credential
    }

    private func verify(_ token: String) async throws(APIError) -> TokenVerifier.Claims {
        let now = clock.now().wall / 1_000_000_000
        var isFresh = false
        while true {
            var verifier = state.withLock { $0.verifier }
            if verifier == nil {
                verifier = await fetchKeys()
                isFresh = true
            }
            guard let verifier else { throw APIError(503, "api_error", "the keys of the issuer cannot be had") }
            do throws(TokenVerifier.Rejection) {
                return try verifier.verify(token, at: now)
            } catch {
                guard error == .unknownKey, !isFresh else { throw .unauthorized(error.rawValue) }
                state.withLock { $0.verifier = nil }
            }
        }
    }

    /// By discovery, as the issuer is asked by everybody who knows nothing but its name.
    private func fetchKeys() async -> TokenVerifier? {
        guard let url = try? PlainURL(issuerURL) else { return nil }
        let client = EmbeddedClient(loop: server.loop, timeout: 5_000_000_000)
        let endpoint = Endpoint.host(url.host, port: url.port)
        guard
            let discovery = try? await client.call("GET", "/.well-known/openid-configuration", at: endpoint).json,
            discovery["issuer"]?.stringValue == issuerURL, let place = discovery["jwks_uri"]?.stringValue,
            place.hasPrefix("\(issuerURL)/"),
            let keys = try? await client.call("GET", String(place.dropFirst(issuerURL.count)), at: endpoint).json
        else { return nil }
        let verifier = TokenVerifier(issuer: issuerURL, audience: audience, keySet: keys)
        guard !verifier.isEmpty else { return nil }
        state.withLock { $0.verifier = verifier }
        return verifier
    }
}
