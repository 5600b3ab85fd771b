// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One route as it is configured: which requests, to where, with which credential, for whom.
struct RouteSpec: Sendable, Equatable {
    /// Begins and ends with a slash: `/vercel/`. The longest prefix that fits a request's path wins.
    let prefix: String
    let upstream: UpstreamSpec
    /// Which API stands behind the upstream: how it says that a credential is refused, how its errors look.
    var gateway: GatewayKind = .generic
    /// Each writes one credential into the request. Empty only with `passesCallerCredential`.
    var injections: [InjectionSpec]
    /// When the next link of a chain is taken.
    var fallback: Set<FallbackReason> = [.unavailable]
    /// Who may call.
    var allow: AllowSpec
    var timeouts = RouteTimeouts()
    /// Largest request body that is kept in memory for being sent again after the upstream refused the credential.
    var replayBodyBytes = 1 << 20
    var tls = UpstreamTLSSpec()
    /// BYOK: the caller's own credential fields pass, save those that an injection writes. Else they are removed.
    var passesCallerCredential = false
    /// Tells the caller by `gateway-agent-credential` which credential was used.
    var showsCredential = false
    /// Further request fields to remove; lower case.
    var strippedFields: Set<String> = []
}

/// Where a route's requests go.
struct UpstreamSpec: Sendable, Hashable {
    enum Transport: Sendable, Hashable {
        case tls
        case plain
        /// Plain HTTP over a Unix socket.
        case unix(socket: String)
    }

    let transport: Transport
    /// A name or an IP address without brackets, lower case; `localhost` for a Unix socket.
    let host: String
    let port: UInt16
    /// Takes the place of the route's prefix; begins and ends with a slash.
    let path: String

    /// As it stands in the `Host` field: without the port that the scheme implies (RFC 9110 §7.2).
    var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return switch transport {
        case .unix: name
        case .tls: port == 443 ? name : "\(name):\(port)"
        case .plain: port == 80 ? name : "\(name):\(port)"
        }
    }
}

extension UpstreamSpec: CustomStringConvertible {
    var description: String {
        switch transport {
        case .tls: "https://\(authority)\(path)"
        case .plain: "http://\(authority)\(path)"
        case .unix(let socket): path == "/" ? "unix:\(socket)" : "unix:\(socket):\(path)"
        }
    }
}

/// The API behind an upstream, where that changes what an answer means or how an error has to look.
enum GatewayKind: String, Sendable, CaseIterable {
    case generic, vercel, coder, openai, anthropic
}

/// One field written into a route's requests, from the first usable credential of a chain.
struct InjectionSpec: Sendable, Equatable {
    /// Never empty, no credential twice.
    let chain: [InjectionLink]
}

/// One link of a chain: a credential and the form in which this upstream wants it.
struct InjectionLink: Sendable, Equatable {
    let credential: String
    let form: HeaderForm
}

/// Why a chain goes on to its next link.
enum FallbackReason: String, Sendable, CaseIterable {
    /// The credential cannot be had: its source fails and nothing unexpired is left.
    case unavailable
    /// The upstream refused it, renewed once, again.
    case rejected
}

/// Who may call, besides root and the agent's own user. Both empty: nobody else.
struct AllowSpec: Sendable, Equatable {
    enum Name: Sendable, Hashable {
        case name(String)
        case id(UInt32)
    }

    var users: Set<Name> = []
    var groups: Set<Name> = []
}

/// How long a route waits for what.
struct RouteTimeouts: Sendable, Equatable {
    /// For a connection to the upstream, TLS included.
    var connect: Duration = .seconds(10)
    /// From the request's end to the head of the answer. Long: a model may think before its first byte.
    var header: Duration = .seconds(600)
    /// Without a byte in either direction while a body is under way.
    var idle: Duration = .seconds(300)
    /// For a credential that is being fetched, before the next link is taken or the call fails.
    var credentialWait: Duration = .seconds(15)
}

/// What TLS to an upstream needs beyond the system's trust store. Absolute paths of PEM files.
struct UpstreamTLSSpec: Sendable, Hashable {
    /// Trusted instead of the system's authorities.
    var authoritiesPath: String?
    /// The client's certificate chain and its key: both or neither.
    var certificatePath: String?
    var keyPath: String?
}
