// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Refresh tokens (RFC 6749 §6) over real sockets, against an issuer that takes each one once.
@Suite(.timeLimit(.minutes(1))) struct RefreshTokenTests {
    private func spec(_ issuer: RotatingIssuer, isKept: Bool = false) -> CredentialSpec {
        var http = HTTPSourceSpec(target: .url("\(issuer.server.url)/token"), method: "POST")
        http.body = Template(parts: [.literal("grant_type=code")])
        http.field = .json(token: "/access_token", expiry: "/expires_in")
        http.refresh = HTTPSourceSpec.Refresh(body: HTTPSourceSpec.Refresh.standardBody)
        return CredentialSpec(name: "login", source: .http(http), isKept: isKept)
    }

    private func withIssuer(_ body: (RotatingIssuer) async throws -> Void) async throws {
        let issuer = try await RotatingIssuer.start()
        let result: Result<Void, any Error>
        do { result = .success(try await body(issuer)) } catch { result = .failure(error) }
        await issuer.server.stop()
        try result.get()
    }

    @Test func `one login, and from then on each token costs the refresh token of the last`() async throws {
        try await withIssuer { issuer in
            let stage = try EngineStage()
            await stage.engine.configure([spec(issuer)])
            #expect(await stage.fetch() == "a-1")
            for number in 2...6 { #expect(await stage.fetch() == "a-\(number)") }
            let facts = issuer.facts
            #expect(facts.logins == 1 && facts.refreshes == 5 && facts.reuses == 0)
            await stage.end()
        }
    }

    @Test func `a hundred who ask at once use it once`() async throws {
        try await withIssuer { issuer in
            let stage = try EngineStage()
            await stage.engine.configure([spec(issuer)])
            _ = await stage.fetch()
            await withTaskGroup { group in
                for _ in 0..<100 { group.addTask { await stage.reject("login", generation: 1) } }
            }
            _ = await stage.first { $0.generation == 2 }
            let facts = issuer.facts
            #expect(facts.refreshes == 1 && facts.reuses == 0)
            await stage.end()
        }
    }

    @Test func `a refresh token is escaped as the body wants it`() async throws {
        try await withIssuer { issuer in
            issuer.change { $0.suffix = "&grant_type=code+%41=\"\\" }
            let stage = try EngineStage()
            await stage.engine.configure([spec(issuer)])
            for number in 1...3 { #expect(await stage.fetch() == "a-\(number)") }
            let facts = issuer.facts
            #expect(facts.logins == 1 && facts.refreshes == 2)
            await stage.end()
        }
    }

    @Test func `an answer without one keeps the old one`() async throws {
        try await withIssuer { issuer in
            let stage = try EngineStage()
            await stage.engine.configure([spec(issuer)])
            _ = await stage.fetch()
            issuer.change { $0.rotates = false }
            for number in 1...3 { #expect(await stage.fetch() == "b-\(number)") }
            #expect(issuer.facts.refreshes == 3 && issuer.facts.logins == 1)
            await stage.end()
        }
    }

    @Test(arguments: [(500, "server_error"), (401, "invalid_client"), (429, "slow_down"), (400, "invalid_request")])
    func `a failure that says nothing of it keeps it`(_ status: Int, _ error: String) async throws {
        try await withIssuer { issuer in
            let stage = try EngineStage()
            await stage.engine.configure([spec(issuer)])
            _ = await stage.fetch()
            issuer.change { $0.refusal = (status, error) }
            stage.engine.sourceChanged("login")
            let failed = await stage.first { $0.failure != nil }
            #expect(failed.failure?.kind == .refused)
            _ = await stage.first { $0.generation == 2 }
            let facts = issuer.facts
            #expect(facts.logins == 1 && facts.refreshes == 1 && facts.reuses == 0)
            await stage.end()
        }
    }

    @Test func `an issuer that cannot be reached meets the same token again`() async throws {
        try await withIssuer { issuer in
            let stage = try EngineStage()
            await stage.engine.configure([spec(issuer)])
            _ = await stage.fetch()
            await issuer.server.refuse()
            stage.engine.sourceChanged("login")
            let failed = await stage.first { $0.failure != nil }
            #expect(failed.failure?.kind == .unreachable)
            try await issuer.server.listen()
            _ = await stage.first { $0.generation == 2 }
            let facts = issuer.facts
            #expect(facts.logins == 1 && facts.refreshes == 1 && facts.reuses == 0)
            await stage.end()
        }
    }

    @Test func `invalid_grant ends the login with a word, and the first request is asked again`() async throws {
        try await withIssuer { issuer in
            let stage = try EngineStage()
            await stage.engine.configure([spec(issuer)])
            _ = await stage.fetch()
            // Somebody else has logged in, or an administrator ended it.
            issuer.change { $0.current = "of somebody else" }
            #expect(await stage.fetch() == "a-2")
            let facts = issuer.facts
            #expect(facts.logins == 2 && facts.reuses == 1 && facts.refreshes == 0)
            let words = stage.changes.value.map(\.message).filter { $0.hasPrefix("the refresh token") }
            #expect(words.count == 1)
            #expect(
                words.first == "the refresh token is no longer taken: \(issuer.server.url)/token answered 400 "
                    + "(invalid_grant: [hidden] was used before); it is forgotten, and the first request asked again")
            #expect(await stage.fetch() == "a-3")
            #expect(issuer.facts.refreshes == 1, "the new one is used")
            await stage.end()
        }
    }

    @Test func `a restart goes on with the login that was kept`() async throws {
        try await withIssuer { issuer in
            let folder = ScratchFolder()
            for _ in 1...3 {
                let stage = try EngineStage(store: Self.store(folder))
                await stage.engine.configure([spec(issuer, isKept: true)])
                // The first may be the token that was kept as well.
                _ = await stage.fetch()
                _ = await stage.fetch()
                #expect(stage.changes.value.filter(\.isWarning) == [])
                await stage.end()
            }
            let facts = issuer.facts
            #expect(facts.logins == 1 && facts.refreshes >= 3 && facts.reuses == 0)
            let file = folder.read("state/login.refresh-sealed") ?? ""
            #expect(file.isEmpty || !file.contains("refresh-"))
        }
    }

    @Test func `without cache a restart logs in anew, and nothing is on the disk`() async throws {
        try await withIssuer { issuer in
            let folder = ScratchFolder()
            for _ in 1...2 {
                let stage = try EngineStage(store: Self.store(folder))
                await stage.engine.configure([spec(issuer)])
                _ = await stage.fetch()
                await stage.end()
            }
            #expect(issuer.facts.logins == 2)
            #expect(folder.read("state/login.refresh-sealed") == nil)
        }
    }

    @Test func `a new refresh token is on the disk before its token is in use`() async throws {
        try await withIssuer { issuer in
            let folder = ScratchFolder()
            let store = Self.store(folder)
            let stage = try EngineStage(store: store)
            let spec = spec(issuer, isKept: true)
            await stage.engine.configure([spec])
            for _ in 0..<10 {
                _ = await stage.fetch()
                // The token was published a moment ago: a crash now loses nothing.
                let kept = try await store.loadRefresh(spec)
                #expect(kept.map { TestToken.text($0) } == issuer.facts.current)
            }
            await stage.end()
        }
    }

    @Test func `a refresh token that could not be written is written with the next answer`() async throws {
        try await withIssuer { issuer in
            let folder = ScratchFolder()
            let store = Self.store(folder)
            let stage = try EngineStage(store: store)
            let spec = spec(issuer, isKept: true)
            // A file stands where the folder should be.
            folder.write("", to: "state")
            await stage.engine.configure([spec])
            _ = await stage.fetch()
            issuer.change { $0.rotates = false }
            _ = await stage.fetch()
            #expect(
                stage.changes.value.count { if case .notKept = $0 { true } else { false } } <= 2,
                "one word for each kind")
            unsafe _ = unlink(folder.path("state"))
            _ = await stage.fetch()
            let kept = try await store.loadRefresh(spec)
            #expect(kept.map { TestToken.text($0) } == issuer.facts.current)
            await stage.end()
        }
    }

    @Test func `a refresh token is written once a reload says that it is to be kept`() async throws {
        try await withIssuer { issuer in
            let folder = ScratchFolder()
            let store = Self.store(folder)
            let stage = try EngineStage(store: store)
            await stage.engine.configure([spec(issuer)])
            _ = await stage.fetch()
            await stage.engine.configure([spec(issuer, isKept: true)])
            issuer.change { $0.rotates = false }
            _ = await stage.fetch()
            let kept = try await store.loadRefresh(spec(issuer, isKept: true))
            #expect(kept.map { TestToken.text($0) } == issuer.facts.current)
            await stage.end()
        }
    }

    @Test func `an exchange under way at the end is waited for and kept`() async throws {
        try await withIssuer { issuer in
            let folder = ScratchFolder()
            let spec = spec(issuer, isKept: true)
            let stage = try EngineStage(store: Self.store(folder))
            await stage.engine.configure([spec])
            _ = await stage.fetch()
            let (arrivals, open) = issuer.holdNextRefresh()
            stage.engine.sourceChanged("login")
            for await _ in arrivals { break }
            async let ended: Void = stage.end()
            // The engine has stopped to listen once it forgets to answer a demand; then its answer comes.
            await stage.untilStopped()
            open.yield()
            await ended
            let kept = try await Self.store(folder).loadRefresh(spec)
            #expect(kept.map { TestToken.text($0) } == issuer.facts.current)
            #expect(kept.map { TestToken.text($0) } == "refresh-2")
        }
    }

    @Test func `a reload that judges otherwise takes the login over`() async throws {
        try await withIssuer { issuer in
            let stage = try EngineStage()
            var spec = spec(issuer)
            await stage.engine.configure([spec])
            _ = await stage.fetch()
            let (arrivals, open) = issuer.holdNextRefresh()
            stage.engine.sourceChanged("login")
            for await _ in arrivals { break }
            spec.maxAge = .seconds(100)
            await stage.engine.configure([spec])
            stage.engine.demand("login")
            open.yield()
            _ = await stage.first { $0.credential.map { TestToken.text($0.secret) } == "a-3" }
            let facts = issuer.facts
            #expect(facts.logins == 1 && facts.refreshes == 2 && facts.reuses == 0)
            await stage.end()
        }
    }

    private static func store(_ folder: ScratchFolder) -> SealedStore {
        SealedStore(
            folder: folder.path("state"),
            place: .file(path: folder.write("0123456789abcdef0123456789abcdef", to: "key")), bootID: "boot-1")
    }
}

/// An engine with the sources that the agent has, on a loop of its own.
private final class EngineStage: Sendable {
    let loop: EventLoop
    let engine: CredentialEngine
    let changes = Shared<[CredentialChange]>([])
    private let snapshots: AsyncStream<CredentialSnapshot>
    private let running: Task<Void, Never>

    init(store: (any CredentialStore)? = nil) throws {
        let loop = try EventLoop(name: "control")
        try loop.start()
        self.loop = loop
        let (snapshots, continuation) = AsyncStream.makeStream(of: CredentialSnapshot.self)
        self.snapshots = snapshots
        let changes = changes
        let engine = CredentialEngine(
            on: loop, seed: 1, makeSource: { CredentialSources.source(for: $0, on: loop) }, store: store,
            publish: { continuation.yield($0) }, report: { _, change in changes.update { $0.append(change) } })
        self.engine = engine
        running = Task { await engine.run() }
    }

    /// The next published snapshot that `matches`.
    func first(where matches: (CredentialSnapshot) -> Bool) async -> CredentialSnapshot {
        for await snapshot in snapshots where matches(snapshot) { return snapshot }
        fatalError("the stream of snapshots does not end")
    }

    /// Has the source asked, and waits for another value.
    func fetch() async -> String {
        let before = await engine.snapshots().first?.generation ?? 0
        engine.demand("login")
        if before > 0 { engine.sourceChanged("login") }
        let snapshot = await first { $0.generation > before && $0.phase != .fetching }
        return snapshot.credential.map { TestToken.text($0.secret) } ?? ""
    }

    func untilStopped() async {
        while await !engine.isStopped { await Task.yield() }
    }

    /// What a loop says that used the value published last under this name.
    func reject(_ name: String, generation: UInt64) async {
        let lineage = await engine.snapshots().first { $0.name == name }?.lineage
        engine.rejected(lineage: lineage ?? 0, generation: generation)
    }

    func end() async {
        await engine.stop()
        await running.value
        loop.stop()
    }
}
