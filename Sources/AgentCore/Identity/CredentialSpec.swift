// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What a credential is, for how far it is trusted without being told an end.
enum CredentialKind: String, Sendable {
    /// Short-lived: it is renewed, and never sent past its end.
    case token
    /// Long-lived: an API key. It has no end of its own; it is read again when its source changes.
    case key
}

/// One credential as it is configured. Two equal specs are the same credential: a reload keeps its token.
struct CredentialSpec: Sendable, Equatable {
    let name: String
    var kind: CredentialKind = .token
    let source: SourceSpec
    var form: HeaderForm = .bearer
    /// How long a token that does not tell its end is used before the source is asked again.
    var maxAge: Duration?
    /// Keeps one always warm, also when nobody asks.
    var prefetch = false
    /// Keeps the value across restarts, sealed, in the agent's state folder.
    var isKept = false

    /// `maxAge`, or its default: five minutes where only asking again shows a change, none where a change is noticed
    /// (a watched file) or where the value is a key.
    var effectiveMaxAge: Duration? {
        if let maxAge { return maxAge }
        switch source {
        case .exec, .http: return kind == .token ? .seconds(300) : nil
        case .file, .env, .systemdCredential: return nil
        }
    }
}

/// Where a credential comes from. A value: `CredentialSource` is the thing that acts on it.
enum SourceSpec: Sendable, Equatable {
    case file(path: String, field: FieldSpec)
    /// An environment variable of the agent itself.
    case env(name: String, field: FieldSpec)
    case exec(ExecSpec)
    case http(HTTPSourceSpec)
    /// A file of `$CREDENTIALS_DIRECTORY`, systemd.exec(5).
    case systemdCredential(name: String, field: FieldSpec)

    /// The word of the configuration file for it.
    var kind: String {
        switch self {
        case .file: "file"
        case .env: "env"
        case .exec: "exec"
        case .http: "http"
        case .systemdCredential: "systemd-credential"
        }
    }

    /// Whether the source is the one truth about its value, so that whatever it holds now replaces what it held before
    /// even if that would have lived longer.
    var isAuthoritative: Bool {
        switch self {
        case .file, .env, .systemdCredential: true
        case .exec, .http: false
        }
    }

    /// Whether it keeps a refresh token from one fetch to the next.
    var refreshes: Bool {
        if case .http(let http) = self { http.refresh != nil } else { false }
    }

    /// After how long a fetch that has not ended by itself is abandoned: the backstop behind the source's own limit,
    /// which comes first, since its sentence tells more. A command has been killed by then.
    var flightLimit: Duration {
        switch self {
        case .exec(let exec): exec.timeLimit + ChildCommand.standardGrace + .seconds(1)
        case .http(let http): http.timeLimit + .seconds(1)
        case .file, .env, .systemdCredential: .seconds(5)
        }
    }
}

/// Which part of a text is the token.
enum FieldSpec: Sendable, Equatable {
    /// All of it, without the line end.
    case raw
    /// JSON; RFC 6901 pointers to the token and, if there is one, to its end.
    case json(token: String, expiry: String?)
    /// `KEY=value` lines, as `.env` files have them.
    case dotenv(key: String)
}

/// A command that prints a token. No shell is involved.
struct ExecSpec: Sendable, Equatable {
    /// The command and its arguments; the first is a path, or a name to be found on `PATH`.
    let command: [String]
    /// Set on top of a minimal environment (`PATH`, `HOME`, `LANG`, `USER`).
    var environment: [String: ValueSpec] = [:]
    var timeLimit: Duration = .seconds(30)
    var outputLimitBytes = 1 << 20
    var field: FieldSpec = .raw
}

/// A request whose answer holds a token: the general form that presets of later systems fill in.
struct HTTPSourceSpec: Sendable, Equatable {
    enum Target: Sendable, Equatable {
        case url(String)
        /// HTTP over a Unix socket: the socket's path and the request's target.
        case unix(socket: String, target: String)
    }

    struct Field: Sendable, Equatable {
        let name: String
        let value: Template
    }

    var target: Target
    var method = "GET"
    var fields: [Field] = []
    var body: Template?
    var field: FieldSpec = .raw
    /// Whom to trust, and what to show, when the target is https.
    var tls = TLSConfiguration()
    var timeLimit: Duration = .seconds(10)
    var answerLimitBytes = 1 << 20
    var refresh: Refresh?

    /// How a new token is asked for while a refresh token is held: RFC 6749 §6, sent as POST.
    struct Refresh: Sendable, Equatable {
        /// RFC 6901 pointer to the refresh token in an answer.
        var field = "/refresh_token"
        /// `ValueSpec.refreshToken` stands in it.
        var body: Template
        /// Those of the first request where nil.
        var target: Target?
        var fields: [Field]?

        static let standardBody = Template(parts: [
            .literal("grant_type=refresh_token&refresh_token="), .refreshToken,
        ])
    }

    /// The request that asks with a refresh token; nil if none is configured.
    func refreshing(with token: Secret) -> HTTPSourceSpec? {
        guard let refresh else { return nil }
        var request = self
        request.method = "POST"
        request.target = refresh.target ?? target
        request.fields = refresh.fields ?? fields
        request.body = Template(
            parts: refresh.body.parts.map { if case .refreshToken = $0 { .secret(token) } else { $0 } })
        return request
    }
}

/// A text put together anew for every fetch, so that a replaced file or key is in the next request.
struct Template: Sendable, Equatable {
    var parts: [ValueSpec]
}

/// A value that is given, or read at the moment it is needed.
enum ValueSpec: Sendable, Equatable {
    case literal(String)
    case secret(Secret)
    case file(path: String)
    case env(name: String)
    case systemdCredential(name: String)
    /// That of the last answer; stands in the body of a refresh alone.
    case refreshToken

    static func == (left: ValueSpec, right: ValueSpec) -> Bool {
        switch (left, right) {
        case (.literal(let left), .literal(let right)): left == right
        case (.secret(let left), .secret(let right)): left.isEqual(to: right)
        case (.file(let left), .file(let right)): left == right
        case (.env(let left), .env(let right)): left == right
        case (.systemdCredential(let left), .systemdCredential(let right)): left == right
        case (.refreshToken, .refreshToken): true
        default: false
        }
    }
}
