// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// What a reload means to calls that wait for something at that moment.
@Suite(.timeLimit(.minutes(1)))
struct ReloadFlowTests {
    /// A token from a script that waits until the pipe `gate` is written to.
    private static func waiting(_ configuration: inout Configuration, _ folder: ScratchFolder) {
        let script = folder.write("read line < \(folder.path("gate")); echo late", to: "wait.sh")
        unsafe #expect(mkfifo(folder.path("gate"), 0o600) == 0)
        configuration.credentials["token"] = exec(script)
        // Longer than a test waits for anything: what goes on does so for another reason.
        configuration.timeouts.credentialWait = .seconds(3600)
        configuration.threads = 1
    }

    private static func exec(_ script: String) -> CredentialSpec {
        CredentialSpec(
            name: "token", source: .exec(ExecSpec(command: ["/bin/sh", script])), maxAge: .seconds(3600))
    }

    /// Returns once the script reads; it goes on when this is closed.
    private static func gate(_ agent: AgentUnderTest) -> Int32 {
        unsafe open(agent.folder.path("gate"), O_WRONLY | O_CLOEXEC)
    }

    @Test func `nobody waits for a source that a reload has changed`() async throws {
        try await withGateway(Self.waiting, route: { $0.timeouts.credentialWait = .seconds(3600) }) {
            agent, upstream in
            let call = try agent.connect()
            try call.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let asking = try agent.connect()
            try asking.send("GET /-/token/token HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let gate = Self.gate(agent)
            defer { close(gate) }
            // Both are taken up by now: one loop, and what is behind them on it has been answered.
            for _ in 1...2 { #expect(try agent.get("/-/healthy").status == 200) }
            let script = agent.folder.write("echo soon", to: "soon.sh")
            try agent.reload { $0.credentials["token"] = Self.exec(script) }
            // The call goes on by the rules that it began with: the next link.
            let server = try upstream.accept()
            #expect(try server.head().contains(Marker.key))
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try call.answer().status == 200)
            // Who asks for the token gets that of the new source.
            #expect(try asking.answer().body == "soon\n")
        }
    }

    /// The source goes on under the new name, and nobody tells a call from before of it.
    @Test func `nobody waits for a credential that a reload has renamed`() async throws {
        try await withGateway(Self.waiting, route: { $0.timeouts.credentialWait = .seconds(3600) }) { agent, upstream in
            let call = try agent.connect()
            try call.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let gate = Self.gate(agent)
            defer { close(gate) }
            try agent.reload { configuration in
                let token = configuration.credentials.removeValue(forKey: "token")
                configuration.credentials["other"] = token.map {
                    CredentialSpec(name: "other", source: $0.source, maxAge: $0.maxAge)
                }
                configuration.routes[0].injections = [
                    InjectionSpec(chain: [InjectionLink(credential: "other", form: .bearer)])
                ]
            }
            let server = try upstream.accept()
            #expect(try server.head().contains(Marker.key))
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try call.answer().status == 200)
        }
    }

    @Test func `a call that a reload leaves without a credential is told to come again`() async throws {
        try await withGateway(
            Self.waiting,
            route: {
                $0.timeouts.credentialWait = .seconds(3600)
                $0.injections = [InjectionSpec(chain: [InjectionLink(credential: "token", form: .bearer)])]
            }
        ) { agent, upstream in
            let call = try agent.connect()
            try call.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let gate = Self.gate(agent)
            defer { close(gate) }
            let script = agent.folder.write("echo soon", to: "soon.sh")
            try agent.reload { $0.credentials["token"] = Self.exec(script) }
            let answer = try call.answer()
            #expect(answer.status == 503 && answer.field("retry-after") == "1")
            #expect(answer.body.contains("token: a reload changed its source while the call waited for it"))
            #expect(!upstream.isCalled)
            try call.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try upstream.accept().head().contains("Bearer soon"))
        }
    }

    /// The plan that is asked whether the caller is let in is the one that the token is taken from.
    @Test(.enabled(if: getuid() == 0))
    func `a token is handed out by the rules that are in force when it is`() async throws {
        let database = HungDatabase()
        try await withGateway(
            groupLookUps: database.lookUps(patience: .seconds(Wire.patience)),
            { configuration, folder in
                Self.waiting(&configuration, folder)
                configuration.allow = AllowSpec(users: [.id(StrangerTests.stranger)])
            }
        ) { agent, _ in
            let asking = try StrangerTests.connect(as: StrangerTests.stranger, to: agent)
            try asking.send("GET /-/token/token HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let gate = Self.gate(agent)
            // Asked for: the groups, by a plan that would let the caller in.
            try agent.reload { $0.allow = AllowSpec(groups: [.id(StrangerTests.stranger + 1)]) }
            while database.asked.value.isEmpty { #expect(try agent.get("/-/healthy").status == 200) }
            try agent.reload { $0.allow = AllowSpec() }
            close(gate)
            while try !agent.get("/-/status").body.contains("\"generation\":1") {}
            database.answer()
            #expect(try asking.answer().status == 403)
        }
    }
}
