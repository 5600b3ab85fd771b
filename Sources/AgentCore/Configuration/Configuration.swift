// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Everything that was configured, checked as a whole. Two configurations are equal if they mean the same, in whatever
/// order and in however many files they were written.
struct Configuration: Sendable, Equatable {
    var listen: ListenSpec
    /// Event loops for data; nil lets the agent choose by the number of processors.
    var threads: Int?
    var log = LogSpec()
    var limits = LimitSpec()
    var timeouts = ServerTimeouts()
    /// After how long without a caller the agent ends, if systemd holds its sockets; nil: never.
    var idleExit: Duration?
    /// Who may call what says nothing of its own: status, tokens, routes without `allow`.
    var allow: AllowSpec
    /// By name.
    var credentials: [String: CredentialSpec] = [:]
    /// The longest prefix first, so that the first that fits is the right one.
    var routes: [RouteSpec] = []
}

/// What is logged, and how.
struct LogSpec: Sendable, Equatable {
    var level = LogLevel.info
    var format = LogFormat.auto
}

/// For whom the agent runs; decides the defaults that differ.
enum ConfigurationScope: Sendable, Equatable {
    /// For the host: any allowed user calls.
    case system
    /// For one person, who alone calls. The folder is `$XDG_RUNTIME_DIR`; nil if there is none.
    case user(runtimeFolder: String?)

    var defaultListen: ListenSpec {
        // A person's agent runs beside the host's.
        func tcp(_ port: UInt16) -> [ListenAddress] { [ListenAddress(ip: "127.0.0.1", port: port)] }
        return switch self {
        case .system: ListenSpec(unixPath: "/run/gateway-agent/agent.sock", tcp: tcp(4748))
        case .user(let folder):
            ListenSpec(unixPath: folder.map { "\($0)/gateway-agent/agent.sock" }, unixMode: 0o600, tcp: tcp(4749))
        }
    }

    var defaultAllow: AllowSpec {
        switch self {
        case .system: AllowSpec(groups: [.name("gateway-agent")])
        case .user: AllowSpec()
        }
    }
}

extension Configuration {
    /// What a reload from one configuration to another has to do.
    struct Difference: Sendable, Equatable {
        /// Names of credentials that are new, gone, or come from elsewhere now.
        var addedCredentials: Set<String> = []
        var removedCredentials: Set<String> = []
        var changedCredentials: Set<String> = []
        /// Prefixes of routes, likewise.
        var addedRoutes: Set<String> = []
        var removedRoutes: Set<String> = []
        var changedRoutes: Set<String> = []
        /// Keys that take effect at the next start only.
        var needingRestart: [String] = []
        /// Other keys that changed.
        var settings: [String] = []

        var isEmpty: Bool { self == Difference() }
    }

    func difference(from old: Configuration) -> Difference {
        let credentials = Self.compare(old.credentials, credentials)
        let routes = Self.compare(
            Dictionary(old.routes.map { ($0.prefix, $0) }, uniquingKeysWith: { first, _ in first }),
            Dictionary(routes.map { ($0.prefix, $0) }, uniquingKeysWith: { first, _ in first }))
        var difference = Difference(
            addedCredentials: credentials.added, removedCredentials: credentials.removed,
            changedCredentials: credentials.changed, addedRoutes: routes.added, removedRoutes: routes.removed,
            changedRoutes: routes.changed)
        if listen != old.listen { difference.needingRestart.append("listen") }
        if threads != old.threads { difference.needingRestart.append("threads") }
        if log != old.log { difference.needingRestart.append("log") }
        if limits.connections != old.limits.connections { difference.needingRestart.append("limits.connections") }
        if limits != old.limits { difference.settings.append("limits") }
        if timeouts != old.timeouts { difference.settings.append("timeouts") }
        if idleExit != old.idleExit { difference.settings.append("idleExit") }
        if allow != old.allow { difference.settings.append("allow") }
        return difference
    }

    private static func compare<Value: Equatable>(
        _ old: [String: Value], _ new: [String: Value]
    ) -> (added: Set<String>, removed: Set<String>, changed: Set<String>) {
        let (oldNames, newNames) = (Set(old.keys), Set(new.keys))
        let changed = newNames.intersection(oldNames).filter { new[$0] != old[$0] }
        return (newNames.subtracting(oldNames), oldNames.subtracting(newNames), changed)
    }
}
