// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension Configuration {
    /// Reads the texts, each laid over those before it, and checks the whole. Pure: opens no file, looks up no name.
    ///
    /// - Throws: every problem at once.
    static func read(
        _ texts: [ConfigurationText], scope: ConfigurationScope = .system
    ) throws(ConfigurationProblems) -> Configuration {
        let report = ConfigurationReport()
        var merged: ConfigurationNode?
        for text in texts {
            guard let node = ConfigurationNode.read(text, into: report) else { continue }
            guard case .object = node.content else {
                report.add(node, "the file holds \(node.kind)", hint: "write an object: { … }")
                continue
            }
            merged = merged.map { $0.merging(node, report: report) } ?? node
        }
        let configuration = merged.flatMap { read($0, scope: scope, report: report) }
        if let configuration, report.problems.isEmpty { return configuration }
        throw ConfigurationProblems(problems: report.sorted(by: texts.map(\.file)))
    }

    private static func read(
        _ node: ConfigurationNode, scope: ConfigurationScope, report: ConfigurationReport
    ) -> Configuration? {
        ObjectReader.read(node, report) { object in
            object.ignore("$schema")
            var configuration = Configuration(
                listen: object.value("listen", .listen, default: scope.defaultListen),
                allow: object.value("allow", .allow, default: scope.defaultAllow))
            configuration.threads = object.optional("threads", .integer(in: 1...256))
            configuration.log = object.value("log", .log, default: configuration.log)
            configuration.limits = object.value("limits", .limits, default: configuration.limits)
            let timeouts = object.value("timeouts", .timeouts, default: TimeoutsSection())
            configuration.timeouts = timeouts.server
            configuration.idleExit = object.optional("idleExit", .duration(in: .seconds(1) ... .seconds(86_400)))
            var credentials = CredentialsSection()
            if let node = object.node("credentials") { credentials.read(node, report) }
            configuration.credentials = credentials.specs
            let defaults = RouteDefaults(
                allow: configuration.allow, timeouts: timeouts.route,
                replayBodyBytes: object.node("limits").flatMap { Self.replayBodyBytes($0) },
                credentials: credentials, ownPorts: Set(configuration.listen.tcp.map(\.port)),
                ownSocket: configuration.listen.unixPath)
            if let node = object.node("routes") {
                configuration.routes = RoutesSection(defaults: defaults, report: report).read(node)
            }
            if !object.has("credentials"), !object.has("routes") {
                report.add(node, "has neither credentials nor routes", hint: "write at least one credential")
            }
            return configuration
        }
    }

    /// Already checked with the other limits; wrong values have been reported there.
    private static func replayBodyBytes(_ limits: ConfigurationNode) -> Int? {
        guard case .object(let members) = limits.content, let member = members["replayBodyBytes"] else { return nil }
        return Field<Int>.replayBodyBytes.read(member.value, ConfigurationReport())
    }
}

/// `timeouts`: those of the server, and what routes have where they say nothing.
struct TimeoutsSection: Sendable {
    var server = ServerTimeouts()
    var route = RouteTimeouts()
}

// MARK: Sections

extension Field<ListenSpec> {
    static let listen = Field { node, report in
        ObjectReader.read(node, report) { object in
            var spec = ListenSpec()
            spec.unixPath = object.optional("unix", .socketPath)
            spec.unixMode = object.value("unixMode", .mode, default: spec.unixMode)
            var addresses = object.value("tcp", .oneOrMore(of: .loopbackAddress), default: [])
            addresses += object.value("unsafeListen", .oneOrMore(of: .listenAddress), default: [])
            spec.tcp = Set(addresses).sorted()
            if !["unix", "tcp", "unsafeListen"].contains(where: object.has) {
                report.add(node, "names no address", hint: "write unix: \"/run/…\" or tcp: \"127.0.0.1:4748\"")
            }
            return spec
        }
    }
}

extension Field<LogSpec> {
    static let log = Field { node, report in
        ObjectReader.read(node, report) { object in
            LogSpec(
                level: object.value("level", .word, default: .info),
                format: object.value("format", .word, default: .auto))
        }
    }
}

extension Field<LimitSpec> {
    static let limits = Field { node, report in
        ObjectReader.read(node, report) { object in
            var spec = LimitSpec()
            spec.headBytes = object.value("headBytes", .size(in: 4096...1 << 20), default: spec.headBytes)
            spec.contentBytes = object.optional("contentBytes", .size(in: 1...1 << 40))
            spec.connections = object.value("connections", .integer(in: 1...1_000_000), default: spec.connections)
            spec.idleUpstreamConnections = object.value(
                "idleUpstreamConnections", .integer(in: 0...10_000), default: spec.idleUpstreamConnections)
            _ = object.optional("replayBodyBytes", .replayBodyBytes)
            return spec
        }
    }
}

extension Field<Int> {
    static let replayBodyBytes = size(in: 0...64 << 20)
}

extension Field<TimeoutsSection> {
    static let timeouts = Field { node, report in
        ObjectReader.read(node, report) { object in
            var section = TimeoutsSection()
            section.route.read(object)
            section.server.credentialWait = section.route.credentialWait
            let server = section.server
            section.server.requestHead = object.value("requestHead", .wait, default: server.requestHead)
            section.server.keepAlive = object.value("keepAlive", .wait, default: server.keepAlive)
            section.server.upstreamKeepAlive = object.value(
                "upstreamKeepAlive", .wait, default: server.upstreamKeepAlive)
            section.server.drain = object.value(
                "drain", .duration(in: .zero ... .seconds(86_400)), default: server.drain)
            return section
        }
    }
}

extension Field<Duration> {
    /// A time to wait for something.
    static let wait = duration(in: .milliseconds(1) ... .seconds(86_400))
}

extension RouteTimeouts {
    mutating func read(_ object: ObjectReader) {
        connect = object.value("connect", .wait, default: connect)
        header = object.value("header", .wait, default: header)
        idle = object.value("idle", .wait, default: idle)
        credentialWait = object.value("credentialWait", .wait, default: credentialWait)
    }
}

extension Field<AllowSpec> {
    static let allow = Field { node, report in
        ObjectReader.read(node, report) { object in
            AllowSpec(
                users: Set(object.value("users", .list(of: .account), default: [])),
                groups: Set(object.value("groups", .list(of: .account), default: [])))
        }
    }
}
