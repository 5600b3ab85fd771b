// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite(.timeLimit(.minutes(1))) struct CredentialSourcesTests {
    @Test func `the engine gets over an issuer that cut its first call`() async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntok-1"
        try await ScriptedServer.with([[.request, .abort], [.request, .send(answer)]]) { server in
            let loop = try EventLoop(name: "control")
            try loop.start()
            defer { loop.stop() }
            let (snapshots, continuation) = AsyncStream.makeStream(of: CredentialSnapshot.self)
            let engine = CredentialEngine(
                on: loop, seed: 1, makeSource: { CredentialSources.source(for: $0, on: loop) },
                publish: { continuation.yield($0) }, report: { _, _ in })
            let running = Task { await engine.run() }
            let target = HTTPSourceSpec(target: .url("http://127.0.0.1:\(server.port)/"))
            await engine.configure([CredentialSpec(name: "token", source: .http(target))])
            engine.demand("token")
            var kinds: Set<CredentialFailure.Kind> = []
            for await snapshot in snapshots {
                if let failure = snapshot.failure { kinds.insert(failure.kind) }
                guard let credential = snapshot.credential else { continue }
                #expect(TestToken.text(credential.secret) == "tok-1")
                break
            }
            #expect(kinds == [.unreachable])
            await engine.stop()
            await running.value
        }
    }

    @Test func `the files that a source depends on are watched, each once`() {
        var exec = ExecSpec(command: ["x"])
        exec.environment = ["B": .file(path: "/b"), "A": .file(path: "/a"), "C": .env(name: "C")]
        var http = HTTPSourceSpec(target: .url("https://x.example/"))
        http.fields = [.init(name: "x", value: Template(parts: [.literal("Bearer "), .file(path: "/f")]))]
        http.body = Template(parts: [.file(path: "/f"), .file(path: "/g")])
        let cases: [(SourceSpec, [String])] = [
            (.file(path: "/t", field: .raw), ["/t"]), (.env(name: "X", field: .raw), []),
            (.exec(exec), ["/a", "/b"]), (.http(http), ["/f", "/g"]),
        ]
        for (source, paths) in cases {
            #expect(CredentialSources.watchedPaths(CredentialSpec(name: "n", source: source)) == paths)
        }
    }
}
