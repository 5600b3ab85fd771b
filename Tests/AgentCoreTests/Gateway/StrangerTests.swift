// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

// setfsuid(2), of the calling thread alone: who owns the sockets that it makes from then on.
@_silgen_name("setfsuid") private func setFileSystemUser(_ uid: UInt32) -> Int32

/// No user keeps the others out: who is permitted nothing is not waited for, and nobody holds more than a share.
@Suite(.timeLimit(.minutes(1)))
struct StrangerTests {
    static let stranger: UInt32 = 64_321

    /// Over TCP, as another user.
    static func connect(as uid: UInt32, to agent: AgentUnderTest) throws -> Wire {
        _ = setFileSystemUser(uid)
        defer { _ = setFileSystemUser(0) }
        return try agent.connect()
    }

    /// Sends a request as another user. The agent does not wait long for who is permitted nothing, and closes the connection
    /// of one whose thread stood still meanwhile, without a byte: that one begins anew.
    struct Asking {
        private let uid: UInt32
        private let path: String
        private let agent: AgentUnderTest
        private let began: Int64
        private let caller: Wire

        init(_ path: String, as uid: UInt32, of agent: AgentUnderTest) throws {
            self.uid = uid
            self.path = path
            self.agent = agent
            began = SystemClock.monotonic()
            caller = try StrangerTests.connect(as: uid, to: agent)
            try? send()
        }

        private func send() throws { try caller.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n") }

        /// The answer, and the connection that it came on.
        func answer(attempts: Int = 5) throws -> (WireAnswer, Wire) {
            do { return (try caller.answer(), caller) } catch Wire.Failure.ended(_, received: "")
                where attempts > 1 && SystemClock.monotonic() - began >= Caller.strangerPatience
            {
                return try Asking(path, as: uid, of: agent).answer(attempts: attempts - 1)
            }
        }
    }

    static func policy(_ allow: AllowSpec) -> AccessPolicy {
        var warnings: [String] = []
        return AccessPolicy(allow, agentUID: 900, warnings: &warnings)
    }

    static let nobody = policy(AllowSpec())
    static let user = policy(AllowSpec(users: [.id(7)]))
    static let group = policy(AllowSpec(groups: [.id(70)]))

    @Test(
        arguments: [
            (0, nil, [nobody], .permitted), (900, nil, [nobody], .permitted), (7, nil, [nobody], .refused),
            (7, nil, [nobody, user], .permitted), (8, nil, [nobody, user], .refused),
            (8, nil, [nobody, group], .needsGroups), (8, nil, [group, user], .needsGroups),
            (7, nil, [group, user], .permitted), (8, [70], [nobody, group], .permitted),
            (8, [71], [group, user], .refused), (8, [], [group], .refused),
            (nil, nil, [nobody, user, group], .refused),
        ] as [(UInt32?, Set<UInt32>?, [AccessPolicy], AccessPolicy.Decision)])
    func `a stranger is who no list lets in`(
        uid: UInt32?, memberships: Set<UInt32>?, policies: [AccessPolicy], standing: AccessPolicy.Decision
    ) {
        #expect(AccessPolicy.standing(of: uid, memberships: memberships, under: policies) == standing)
    }

    @Test(arguments: [(1, 16), (64, 16), (68, 17), (4096, 1024)])
    func `a share is a quarter of the connections, and 16 at least`(limit: Int, share: Int) {
        var shares = ConnectionShares(limit: limit)
        func taken(_ uid: UInt32?, isExempt: Bool = false) -> Int {
            (0..<2000).count { _ in shares.take(uid, isExempt: isExempt) }
        }
        let counts = [taken(5), taken(6), taken(nil), taken(0, isExempt: true)]
        #expect(counts == [share, share, share, 2000])
        shares.giveBack(5)
        let after = [taken(5), taken(6)]
        #expect(after == [1, 0])
    }

    @Test(.enabled(if: getuid() == 0))
    func `a stranger's silent connection ends soon, and its refusal is the last answer`() async throws {
        try await withGateway({ configuration, _ in configuration.timeouts.keepAlive = .seconds(3600) }) { agent, _ in
            let silent = try Self.connect(as: Self.stranger, to: agent)
            let own = try agent.connect()
            let (answer, _) = try Asking("/-/healthy", as: Self.stranger, of: agent).answer()
            #expect(answer.status == 403)
            #expect(answer.field("connection") == "close")
            #expect(try silent.rest().end == .orderly)
            // Who is let in is waited for.
            #expect(try own.get("/-/healthy").status == 200)
        }
    }

    @Test(.enabled(if: getuid() == 0))
    func `a user who holds a share of the connections is told so, and others are served`() async throws {
        try await withGateway({ configuration, _ in
            configuration.limits.connections = 64
            configuration.allow = AllowSpec(users: [.id(Self.stranger)])
        }) { agent, _ in
            let held = try (0..<16).map { _ in try Self.connect(as: Self.stranger, to: agent) }
            // Served once, so that each has been accepted.
            for wire in held { #expect(try wire.get("/-/healthy").status == 200) }
            let answer = try Self.connect(as: Self.stranger, to: agent).answer()
            #expect(answer.status == 503)
            #expect(answer.field("gateway-agent-error") == "too-many-connections")
            #expect(answer.body.contains("uid \(Self.stranger)"))
            let metrics = try agent.get("/-/metrics").body
            #expect(metrics.contains("gateway_agent_refusals_total{reason=\"too-many-connections\"} 1"))
            for wire in held { #expect(try wire.get("/-/healthy").status == 200) }
        }
    }

    @Test(.enabled(if: getuid() == 0))
    func `whose groups cannot be looked up is refused with the reason, and nobody else waits`() async throws {
        let database = HungDatabase()
        try await withGateway(
            groupLookUps: database.lookUps(patience: .milliseconds(200)),
            { configuration, _ in
                configuration.allow = AllowSpec(groups: [.id(Self.stranger + 1)])
                let route = configuration.routes[0]
                // A name, which takes a thread to resolve.
                configuration.routes = [
                    RouteSpec(
                        prefix: route.prefix,
                        upstream: UpstreamSpec(
                            transport: .plain, host: "localhost", port: route.upstream.port, path: "/v1/"),
                        injections: route.injections,
                        allow: AllowSpec(users: [.id(Self.stranger + 9)], groups: [.id(Self.stranger + 1)]))
                ]
            }
        ) { agent, upstream in
            upstream.serve { server in
                while true {
                    _ = try server.head()
                    try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                }
            }
            for path in ["/api/", "/-/healthy"] {
                let callers = try (0..<8).map { _ in try Asking(path, as: Self.stranger, of: agent) }
                let listed = try Self.connect(as: Self.stranger + 9, to: agent)
                #expect(try listed.get("/api/").status == 200)
                for caller in callers {
                    let (answer, _) = try caller.answer()
                    #expect(answer.status == 503)
                    #expect(answer.field("gateway-agent-error") == "groups-unknown")
                    #expect(answer.field("retry-after") == "1")
                    #expect(answer.body.contains("did not answer within 200 ms"))
                    #expect(answer.body.contains("uid \(Self.stranger)"))
                }
            }
            #expect(database.asked.value == [Self.stranger])
            database.answer()
            while true {
                let (answer, caller) = try Asking("/-/healthy", as: Self.stranger, of: agent).answer()
                guard answer.status == 200 else { continue }
                #expect(try caller.get("/api/").status == 200)
                break
            }
        }
    }
}
