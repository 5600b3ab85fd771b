// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// An OpenID Connect issuer for workloads, on this host: real keys, really signed tokens of a chosen short life, and
/// real failures on request. The issuer of the demo and of the test suite.
///
/// | request | answer |
/// | --- | --- |
/// | `GET /.well-known/openid-configuration` | where everything is (OpenID Connect Discovery 1.0 §4) |
/// | `GET /jwks` | the public keys (RFC 7517 §5) |
/// | `GET /token?audience=A`, with the request token as Bearer | `{"value": TOKEN}`, as GitHub Actions gives it |
/// | `POST /token` with `{"aud": A}`, with the request token as Bearer | `{"token": TOKEN, "expires_in": SECONDS}` |
/// | `/demo/fault?kind=K&times=N` | does wrong from now on, or N times; `kind=none` ends it |
///
/// An audience that is not its own is refused with 400, a wrong request token with 401.
///
/// ## Concurrency
/// Requests are answered on the server's loop. Faults are set and counters are read from anywhere: they stand behind a
/// mutex.
final class EmbeddedIssuer: EmbeddedHandler {
    let server: EmbeddedServer
    /// The one audience that tokens are minted for.
    let audience: String
    /// What those who ask for a token have to show.
    let requestToken: Secret
    /// The first signs; the key set holds all.
    private let mints: [TokenMint]
    private let clock: any HostClock
    private let state: Mutex<State>

    /// A token that was given out, without the token.
    struct Mint: Sendable, Equatable {
        let id: String
        /// Seconds since 1970.
        let issued: Int64
        let expires: Int64
    }

    private struct State {
        var life: Int64
        var fault: IssuerFault?
        /// How often the fault is shown; nil until it is ended.
        var faultCount: Int?
        var requests = 0
        var mints: [Mint] = []
        var lastToken: String?
        var onMint: (@Sendable (Mint) -> Void)?
    }

    /// Binds a port and serves.
    ///
    /// - Parameters:
    ///   - life: of each token, in whole seconds.
    ///   - algorithm: tokens are signed with; the key set holds a key for each one there is.
    static func start(
        audience: String, life: Duration, algorithm: SignatureAlgorithm = .rs256, clock: any HostClock = SystemClock()
    ) async throws -> EmbeddedIssuer {
        let mints = try await EventLoop.offload { keys }.get()
        let issuer = EmbeddedIssuer(
            server: try EmbeddedServer(named: "issuer"), audience: audience, life: life,
            mints: mints.filter { $0.algorithm == algorithm } + mints.filter { $0.algorithm != algorithm }, clock: clock
        )
        try await issuer.server.start(issuer)
        return issuer
    }

    /// Made once a process, since RSA takes its time; issuers of one process differ by their names.
    private static let keys: Result<[TokenMint], CryptoFailure> = {
        do throws(CryptoFailure) {
            var mints: [TokenMint] = []
            for algorithm in SignatureAlgorithm.allCases {
                mints.append(try TokenMint(algorithm, keyID: "demo-\(algorithm.rawValue.lowercased())"))
            }
            return .success(mints)
        } catch { return .failure(error) }
    }()

    private init(
        server: EmbeddedServer, audience: String, life: Duration, mints: [TokenMint], clock: any HostClock
    ) {
        self.server = server
        self.audience = audience
        self.mints = mints
        self.clock = clock
        requestToken = Secret(copying: Base64URL.encode(RandomBytes.make(24)).utf8.span)
        state = Mutex(State(life: life.components.seconds))
    }

    func stop() async {
        await server.stop()
    }

    /// The `iss` of its tokens.
    var url: String { server.url }
    /// The public keys, to be handed to a verifier that shall not ask.
    var keySet: JSONValue { ["keys": .array(mints.map(\.publicKey))] }
    /// How many tokens were minted; those of the faults count.
    var mintCount: Int { state.withLock { $0.mints.count } }
    /// Requests for a token that arrived, answered or not.
    var requestCount: Int { state.withLock { $0.requests } }
    /// The tokens given out, in order.
    var minted: [Mint] { state.withLock { $0.mints } }

    /// Of the tokens from now on.
    func setLife(_ life: Duration) {
        state.withLock { $0.life = life.components.seconds }
    }

    /// Hears of each mint, on the issuer's loop.
    func onMint(_ tell: @escaping @Sendable (Mint) -> Void) {
        state.withLock { $0.onMint = tell }
    }

    // MARK: Faults

    /// Does wrong from now on.
    ///
    /// - Parameter times: how often; nil until `heal`. A server that is down stays down either way.
    func fail(_ fault: IssuerFault, times: Int? = nil) async {
        state.withLock {
            $0.fault = fault
            $0.faultCount = times
        }
        if fault == .down { await server.refuse() }
    }

    /// Does right again.
    func heal() async throws {
        state.withLock { $0.fault = nil }
        try await server.listen()
    }

    private func takeFault() -> IssuerFault? {
        state.withLock { state in
            state.requests += 1
            guard let fault = state.fault, let count = state.faultCount else { return state.fault }
            state.faultCount = count - 1
            if count <= 1 { state.fault = nil }
            return fault
        }
    }

    // MARK: Requests

    func serve(_ call: EmbeddedCall) async throws(EmbeddedCall.Abandoned) {
        switch (call.request.method, call.request.path) {
        case ("GET", "/.well-known/openid-configuration"): try await call.answer(200, json: discovery)
        case ("GET", "/jwks"): try await call.answer(200, json: keySet)
        case ("GET", "/token"), ("POST", "/token"): try await serveToken(call)
        case ("GET", "/demo/fault"), ("POST", "/demo/fault"): try await serveFault(call)
        case (_, "/token"), (_, "/jwks"): try await refuse(call, 405, "use GET, or POST for a token")
        default: try await refuse(call, 404, "there is only /.well-known/openid-configuration, /jwks and /token")
        }
    }

    private var discovery: JSONValue {
        [
            "issuer": .string(url), "jwks_uri": "\(url)/jwks", "token_endpoint": "\(url)/token",
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": .array(mints.map { .string($0.algorithm.rawValue) }),
            "claims_supported": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
        ]
    }

    private func serveToken(_ call: EmbeddedCall) async throws(EmbeddedCall.Abandoned) {
        let isPost = call.request.method == "POST"
        let body = try await call.body()
        let fault = takeFault()
        guard let shown = call.request.bearerToken, requestToken.isEqual(to: Secret(copying: shown.utf8.span)) else {
            return try await refuse(call, 401, "the request token is missing or wrong")
        }
        let asked: String?
        if isPost {
            guard call.request["content-type"]?.hasPrefix("application/json") == true,
                let document = try? JSONValue.decode(body.span)
            else { return try await refuse(call, 400, "the content has to be JSON, and to be called so") }
            asked = document["aud"]?.stringValue
        } else {
            asked = call.request.query["audience"]
        }
        guard let asked, asked == audience else {
            let shown = asked.map { String(printing: $0, limit: 100) } ?? "none"
            return try await refuse(call, 400, "no token for the audience \(shown); this issuer serves \(audience)")
        }
        if let fault { return try await answer(call, fault, isPost: isPost) }
        try await answer(call, token: token(), isPost: isPost)
    }

    func answer(_ call: EmbeddedCall, token: String, isPost: Bool) async throws(EmbeddedCall.Abandoned) {
        try await call.answer(200, [("Cache-Control", "no-store")], json: answer(token, isPost: isPost))
    }

    func answer(_ token: String, isPost: Bool) -> JSONValue {
        isPost ? ["token": .string(token), "expires_in": .integer(life)] : ["value": .string(token)]
    }

    private func refuse(
        _ call: EmbeddedCall, _ status: Int, _ message: String
    ) async throws(EmbeddedCall.Abandoned) {
        let challenge = status == 401 ? [("WWW-Authenticate", "Bearer")] : []
        try await call.answer(status, challenge, json: ["error": .string(message)])
    }

    /// Takes an order to do wrong.
    func serveFault(_ call: EmbeddedCall) async throws(EmbeddedCall.Abandoned) {
        let word = call.request.query["kind"] ?? ""
        if word == "none" {
            try? await heal()
            return try await call.answer(200, text: "the issuer does right again\n")
        }
        guard let fault = IssuerFault(word: word) else {
            let words = IssuerFault.words.map(\.word).joined(separator: ", ")
            return try await refuse(call, 400, "kind is one of none, \(words)")
        }
        try await call.answer(200, text: "the issuer does wrong from now on: \(word)\n")
        await fail(fault, times: call.request.query["times"].flatMap { Int($0) })
    }

    // MARK: Tokens

    /// A fresh token, counted.
    ///
    /// - Parameter age: seconds that it lies back.
    func token(audience: String? = nil, age: Int64 = 0) -> String {
        let now = clock.now().wall / 1_000_000_000 - age
        let life = state.withLock { $0.life }
        let mint = Mint(id: Base64URL.encode(RandomBytes.make(9)), issued: now, expires: now + life)
        let claims: JSONValue = [
            "iss": .string(url), "sub": "host:demo", "aud": .string(audience ?? self.audience),
            "iat": .integer(mint.issued), "nbf": .integer(mint.issued), "exp": .integer(mint.expires),
            "jti": .string(mint.id),
        ]
        // Signing fails where OpenSSL has no memory left; a token that nobody accepts shows it soon enough.
        let token = (try? mints[0].sign(claims)) ?? ""
        let tell = state.withLock { state in
            state.mints.append(mint)
            state.lastToken = token
            return state.onMint
        }
        tell?(mint)
        return token
    }

    /// The last token; a fresh one if there is none.
    var lastToken: String { state.withLock { $0.lastToken } ?? token() }

    var life: Int64 { state.withLock { $0.life } }
}
