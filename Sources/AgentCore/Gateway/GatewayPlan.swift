// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What all loops work by: one immutable value, made from a configuration off the loops and exchanged whole by a reload.
final class GatewayPlan: Sendable {
    /// The longest prefix first.
    let routes: [Route]
    private let index: RouteIndex
    /// In the order of the loops' tables.
    let credentialNames: [String]
    let credentialIndex: [String: Int]
    /// One for each kind of outgoing TLS.
    let contexts: [TLSConfiguration: UpstreamTLS]
    /// Who may ask for status, tokens and metrics.
    let access: AccessPolicy
    /// That one, and those of the routes that differ from it.
    let policies: [AccessPolicy]
    let limits: HTTPLimits
    let idleUpstreamConnections: Int
    let timeouts: Timeouts
    let hosts: AllowedHosts
    /// Forms of credentials that routes write, each with its own rendered line.
    let lineCount: Int
    /// What does not keep the agent from serving, and should be known: an allowed group that does not exist.
    let warnings: [String]

    /// Nanoseconds.
    struct Timeouts: Sendable {
        var requestHead: Int64
        var keepAlive: Int64
        var upstreamKeepAlive: Int64
        var upstreamSurplus: Int64
        var credentialWait: Int64
    }

    /// What a plan is made of.
    struct Parts: Sendable {
        var routes: [RouteSpec]
        var credentialNames: [String]
        var allow: AllowSpec
        var limits = LimitSpec()
        var timeouts = ServerTimeouts()
        /// Those that are open.
        var listeners: [SocketAddress] = []
    }

    /// Reads certificates and looks users up: it blocks.
    ///
    /// - Throws: every problem found, as sentences.
    init(_ parts: Parts, agentUID: UInt32) throws(GatewayPlanProblems) {
        var problems: [String] = []
        var warnings: [String] = []
        credentialNames = parts.credentialNames
        credentialIndex = Dictionary(
            parts.credentialNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        access = AccessPolicy(parts.allow, agentUID: agentUID, warnings: &warnings)
        var routes: [Route] = []
        var lineCount = 0
        var contexts: [TLSConfiguration: UpstreamTLS] = [:]
        for spec in parts.routes.sorted(by: { $0.prefix.utf8.count > $1.prefix.utf8.count }) {
            let key = "routes[\"\(spec.prefix)\"]"
            let policy =
                spec.allow == parts.allow
                ? access : AccessPolicy(spec.allow, at: "\(key).allow", agentUID: agentUID, warnings: &warnings)
            let route = Route(
                spec, credentials: credentialIndex, access: policy, number: routes.count, lineCount: &lineCount)
            routes.append(route)
            guard let tls = route.origin.tls, contexts[tls] == nil else { continue }
            do throws(TLSFailure) { contexts[tls] = try UpstreamTLS(tls) } catch {
                problems.append(tls.problem(error, at: "\(key).tls"))
            }
        }
        self.routes = routes
        policies = routes.reduce(into: [access]) { if !$0.contains($1.access) { $0.append($1.access) } }
        index = RouteIndex(routes)
        self.lineCount = lineCount
        self.warnings = warnings
        self.contexts = contexts
        var limits = HTTPLimits()
        limits.headBytes = parts.limits.headBytes
        if let content = parts.limits.contentBytes { limits.contentBytes = UInt64(content) }
        limits.targetBytes = min(limits.targetBytes, parts.limits.headBytes)
        self.limits = limits
        idleUpstreamConnections = parts.limits.idleUpstreamConnections
        timeouts = Timeouts(
            requestHead: parts.timeouts.requestHead.nanoseconds, keepAlive: parts.timeouts.keepAlive.nanoseconds,
            upstreamKeepAlive: parts.timeouts.upstreamKeepAlive.nanoseconds,
            upstreamSurplus: parts.timeouts.upstreamSurplus.nanoseconds,
            credentialWait: parts.timeouts.credentialWait.nanoseconds)
        hosts = AllowedHosts(parts.listeners)
        if !problems.isEmpty { throw GatewayPlanProblems(sentences: problems) }
    }

    /// Begins to make the contexts that are not made yet, so that the first call over TLS finds them.
    func prepareTLS() {
        for context in contexts.values { context.prepare() }
    }

    /// The place in `routes` of a path's route: the longest prefix that fits, or the prefix itself without its last slash.
    func routeNumber(for path: Span<UInt8>) -> Int? {
        index.route(for: path)
    }
}

/// Why a plan cannot be made; each a sentence for people.
struct GatewayPlanProblems: Error, CustomStringConvertible {
    let sentences: [String]

    var description: String { sentences.joined(separator: "; ") }
}

extension Route {
    /// How many bytes of one of its paths stand for the route.
    func prefixCount(in path: Span<UInt8>) -> Int {
        min(prefix.count, path.count)
    }
}
