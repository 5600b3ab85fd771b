// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What is read before anybody calls, and what the first connection over TLS waits for.
@Suite(.timeLimit(.minutes(1)))
struct UpstreamTLSTests {
    @Test func `a context with files is made at once, and what is wrong with them is told`() throws {
        let world = try TLSWorld()
        #expect(try UpstreamTLS(world.clientConfiguration).context != nil)
        let failure = #expect(throws: TLSFailure.self) {
            try UpstreamTLS(TLSConfiguration(authorityFile: world.folder.path("none.pem")))
        }
        #expect(failure?.kind == .configuration)
    }

    @Test func `one that trusts the system's authorities is made once, when somebody asks`() async throws {
        let upstream = try UpstreamTLS(TLSConfiguration())
        #expect(upstream.context == nil)
        upstream.prepare()
        let made = await withTaskGroup(of: ObjectIdentifier?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    await withCheckedContinuation { waiter in
                        upstream.whenMade { waiter.resume(returning: (try? $0.get()).map { ObjectIdentifier($0) }) }
                    }
                }
            }
            return await group.reduce(into: Set<ObjectIdentifier?>()) { $0.insert($1) }
        }
        #expect(made.count == 1)
        #expect(made.first == upstream.context.map { ObjectIdentifier($0) })
    }

    @Test func `a call over TLS waits for the system's authorities, and is made with no others`() async throws {
        let world = try TLSWorld()
        let server = try world.server()
        try await withGateway(route: { route in
            route = RouteSpec.test("/api/", port: route.upstream.port, isTLS: true)
        }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send(UpstreamPoolTests.request)
            let connection = try upstream.accept()
            // The caller shakes hands as TLS has it, and then refuses a certificate of nobody the host knows.
            #expect(throws: TLSFailure.self) { try connection.startTLS(server) }
            let answer = try caller.answer()
            #expect(answer.status == 502)
            #expect(answer.body.contains("not trusted"))
        }
    }
}
