// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Synchronization
import Testing

@testable import AgentCore

/// The engine on a real loop with real tasks; what time decides is tested on the virtual clock.
@Suite(.timeLimit(.minutes(1))) struct CredentialEngineTests {
    @Test func `two hundred threads that demand a credential share one fetch and see one value`() async throws {
        let stage = try Stage()
        await stage.engine.configure([CredentialMachineTests.exec])
        await withTaskGroup { group in
            for _ in 0..<200 { group.addTask { stage.engine.demand("token") } }
        }
        _ = await stage.first { $0.phase == .fetching }
        stage.source.answer(.success(TestToken.value("value-1")))
        let snapshot = await stage.first { $0.credential != nil }
        #expect(snapshot.generation == 1)
        #expect(snapshot.credential.map { TestToken.text($0.secret) } == "value-1")
        #expect(stage.source.fetches == 1)
        #expect(await stage.engine.snapshots() == [snapshot])
        await stage.end()
    }

    @Test func `a failure is retried by the engine's own timer`() async throws {
        let stage = try Stage()
        await stage.engine.configure([CredentialMachineTests.exec])
        stage.engine.demand("token")
        stage.source.answer(.failure(CredentialFailure(.unreachable, "nobody there")))
        let failed = await stage.first { $0.failure != nil }
        #expect(failed.failure?.kind == .unreachable)
        stage.source.answer(.success(TestToken.value("value-2")))
        let recovered = await stage.first { $0.credential != nil && $0.failure == nil }
        #expect(recovered.failures == 0 && recovered.fetches == 2)
        #expect(stage.changes.value.map(\.isWarning) == [true, false, false])
        await stage.end()
    }

    @Test func `a refusal renews the generation that was used and no other`() async throws {
        let stage = try Stage()
        await stage.engine.configure([CredentialMachineTests.exec])
        stage.engine.demand("token")
        stage.source.answer(.success(TestToken.value("value-1")))
        _ = await stage.first { $0.generation == 1 }
        await stage.reject("token", generation: 1)
        stage.source.answer(.success(TestToken.value("value-2")))
        _ = await stage.first { $0.generation == 2 }
        for _ in 0..<200 { await stage.reject("token", generation: 1) }
        // Behind the two hundred in the loop's queue.
        #expect(await stage.engine.snapshots().first?.fetches == 2)
        await stage.end()
    }

    @Test func `a reload keeps what has not changed, and ignores the fetch of what has`() async throws {
        let stage = try Stage()
        let key = CredentialMachineTests.key
        await stage.engine.configure([CredentialMachineTests.exec, key])
        #expect(stage.source.fetches == 0)
        stage.engine.demand("key")
        stage.source.answer(.success(TestToken.value("key-1")))
        _ = await stage.first { $0.name == "key" && $0.generation == 1 }
        stage.engine.demand("token")
        _ = await stage.first { $0.name == "token" && $0.phase == .fetching }

        var changed = CredentialMachineTests.exec
        changed.maxAge = .seconds(60)
        await stage.engine.configure([changed, key])
        stage.engine.demand("token")
        stage.source.answer(.success(TestToken.value("from after")))
        let token = await stage.first { $0.name == "token" && $0.credential != nil }
        #expect(token.credential.map { TestToken.text($0.secret) } == "from after")
        #expect(await stage.engine.snapshots().map(\.generation) == [1, 1])
        await stage.engine.configure([key])
        #expect(await stage.engine.snapshots().map(\.name) == ["key"])
        stage.engine.demand("token")
        #expect(await stage.engine.snapshots().count == 1)
        await stage.end()
    }

    @Test func `two credentials of one source share one fetch and one value`() async throws {
        let stage = try Stage()
        var other = CredentialSpec(name: "other", source: CredentialMachineTests.exec.source)
        other.form = .apiKey
        await stage.engine.configure([CredentialMachineTests.exec, other])
        #expect(stage.sourceCount == 1)
        for name in ["token", "other", "token"] { stage.engine.demand(name) }
        stage.source.answer(.success(TestToken.value("value-1")))
        let token = await stage.first { $0.name == "token" && $0.credential != nil }
        let shared = await stage.first { $0.name == "other" && $0.credential != nil }
        #expect(token.generation == 1 && shared.generation == 1)
        #expect(shared.credential.map { TestToken.text($0.secret) } == "value-1")
        // A refusal by one upstream concerns the value, whatever the name it was used under.
        await stage.reject("other", generation: 1)
        await stage.reject("token", generation: 1)
        stage.source.answer(.success(TestToken.value("value-2")))
        _ = await stage.first { $0.name == "token" && $0.generation == 2 }
        #expect(stage.source.fetches == 2)
        // One of them goes: the other keeps the value.
        await stage.engine.configure([other])
        #expect(await stage.engine.snapshots().map(\.name) == ["other"])
        #expect(await stage.engine.snapshots().map(\.generation) == [2])
        #expect(stage.sourceCount == 1)
        await stage.end()
    }

    @Test func `a reload that changes form or prefetch alone keeps the value`() async throws {
        let stage = try Stage()
        await stage.engine.configure([CredentialMachineTests.exec])
        stage.engine.demand("token")
        stage.source.answer(.success(TestToken.value("value-1")))
        _ = await stage.first { $0.generation == 1 }
        var changed = CredentialMachineTests.exec
        changed.form = .apiKey
        changed.prefetch = true
        await stage.engine.configure([changed])
        #expect(await stage.engine.snapshots().map(\.generation) == [1])
        #expect(stage.sourceCount == 1)
        await stage.end()
    }

    @Test func `a clock that was set is judged at once, and a clock that is right again is enough`() async throws {
        let clock = HandClock(HostTime(wall: 0, boot: .seconds(1000)))
        let stage = try Stage(clock: clock)
        await stage.engine.configure([CredentialMachineTests.exec])
        stage.engine.demand("token")
        let token = TestToken.jwt(expires: Double(VirtualHost.epoch / 1_000_000_000) + 300)
        clock.update { $0.wall = VirtualHost.epoch + .seconds(3600) }
        stage.source.answer(.success(TestToken.value(token)))
        let failed = await stage.first { $0.failure != nil }
        #expect(failed.failure?.kind == .expired)
        clock.update { now in
            now.wall = VirtualHost.epoch
            // The back-off of one failure is two seconds at most, but the step alone allows the next try after one.
            now.boot += .seconds(1)
        }
        stage.engine.clockStepped()
        clock.update { $0.boot += .seconds(1) }
        stage.engine.clockStepped()
        stage.source.answer(.success(TestToken.value(token)))
        let fresh = await stage.first { $0.credential != nil }
        #expect(fresh.isUsable(at: clock.now()))
        // And past its end by the wall clock alone.
        clock.update { $0.wall += .seconds(301) }
        stage.engine.clockStepped()
        #expect(await stage.engine.snapshots().first?.isUsable(at: clock.now()) == false)
        #expect(stage.changes.value.contains(.expired))
        await stage.end()
    }

    @Test func `a value is kept, and another agent has it without asking`() async throws {
        let store = MemoryStore()
        var spec = CredentialMachineTests.exec
        spec.isKept = true
        let first = try Stage(store: store)
        await first.engine.configure([spec])
        first.engine.demand("token")
        first.source.answer(.success(TestToken.value("value-1", expiry: .after(.seconds(600)))))
        _ = await first.first { $0.generation == 1 }
        await first.end()
        #expect(store.saved.value == ["token 1"])

        let second = try Stage(store: store)
        await second.engine.configure([spec])
        let restored = await second.first { $0.credential != nil }
        #expect(restored.credential.map { TestToken.text($0.secret) } == "value-1")
        #expect(restored.fetches == 0)
        await second.end()
        #expect(store.saved.value == ["token 1"], "what was kept is not written again")
    }

    @Test func `what is not asked to be kept is not, and a store that fails is told of once`() async throws {
        let store = MemoryStore()
        store.failure.update { $0 = NotKept("no room") }
        var spec = CredentialMachineTests.exec
        let stage = try Stage(store: store)
        await stage.engine.configure([spec, CredentialMachineTests.key])
        stage.engine.demand("token")
        stage.source(0).answer(.success(TestToken.value("value-1")))
        _ = await stage.first { $0.generation == 1 }
        #expect(store.calls.value == 0)
        spec.isKept = true
        await stage.engine.configure([spec])
        for number in 2...4 {
            await stage.reject("token", generation: UInt64(number - 1))
            stage.source(0).answer(.success(TestToken.value("value-\(number)")))
            if number == 2 { _ = await stage.first { $0.generation == 2 } }
        }
        await stage.end()
        #expect(stage.changes.value.count { $0 == .notKept("no room") } == 1)
    }

    @Test func `a command that hangs is told of in its own words, and is not left behind`() async throws {
        let family = try ProcessFamily()
        let script = family.script("trap '' TERM; echo 'waiting for a login' >&2; sleep 1000 & sleep 1000; wait")
        var exec = ExecSpec(command: ["/bin/sh", "-c", script])
        // Long enough for it to say so beside all the other tests.
        exec.timeLimit = .seconds(8)
        let stage = try Stage { spec, loop in CredentialSources.source(for: spec, on: loop) }
        await stage.engine.configure([CredentialSpec(name: "token", source: .exec(exec))])
        stage.engine.demand("token")
        let failed = await stage.first { $0.failure != nil }
        #expect(failed.failure?.kind == .timedOut)
        #expect(failed.failure?.message.contains("saying \"waiting for a login\"; see what it waits for") == true)
        try family.waitForEnd()
        await stage.end()
    }

    @Test func `a command that ignores SIGTERM does not outlive the engine`() async throws {
        let family = try ProcessFamily()
        let script = "trap '' TERM; " + family.script("sleep 1000 & sleep 1000; wait")
        let stage = try Stage { spec, loop in CredentialSources.source(for: spec, on: loop) }
        await stage.engine.configure([
            CredentialSpec(name: "token", source: .exec(ExecSpec(command: ["/bin/sh", "-c", script])))
        ])
        stage.engine.demand("token")
        try await EventLoop.offload { Result { try family.waitForStart() } }.get()
        // Its loop ends with it: what it has not killed by then it never will.
        await stage.end()
        try family.waitForEnd()
    }

    /// As a reload leaves it that gives a name to another file, whose key has the same generation.
    @Test func `a refusal from before a reload is none of what has the name now`() async throws {
        let stage = try Stage()
        let other = CredentialSpec(name: "other", kind: .key, source: .file(path: "/etc/other", field: .raw))
        await stage.engine.configure([CredentialMachineTests.key, other])
        for (number, spec) in [CredentialMachineTests.key, other].enumerated() {
            stage.engine.demand(spec.name)
            stage.source(number).answer(.success(TestToken.value("value-\(number)")))
            _ = await stage.first { $0.name == spec.name && $0.generation == 1 }
        }
        let before = await stage.engine.snapshots().first { $0.name == "key" }
        await stage.engine.configure([CredentialSpec(name: "key", kind: .key, source: other.source)])
        stage.engine.rejected(lineage: before?.lineage ?? 0, generation: 1)
        let now = await stage.engine.snapshots()
        #expect(now.map(\.name) == ["key"] && now.first?.generation == 1)
        #expect(now.first?.rejectedUntil == .min && stage.source(1).fetches == 1)
        await stage.end()
    }

    /// A read of a file that hangs is left behind by its limit, and goes on for ever.
    @Test func `a source that does not come back is not asked again beside that`() async throws {
        let clock = HandClock(SystemClock().now())
        let source = StuckSource()
        let stage = try Stage(clock: clock) { _, _ in source }
        await stage.engine.configure([CredentialMachineTests.exec])
        stage.engine.demand("token")
        _ = await stage.first { $0.phase == .fetching }
        for failures in 1...5 {
            clock.update { $0.boot += .seconds(600) }
            stage.engine.clockStepped()
            stage.engine.demand("token")
            let failed = await stage.first { $0.failures >= failures }
            #expect(failed.failure?.kind == .timedOut)
            #expect(failed.failure?.message.contains("lies on a file system that hangs") == true)
        }
        #expect(source.fetches == 1)
        source.comeBack()
        clock.update { $0.boot += .seconds(600) }
        stage.engine.clockStepped()
        stage.engine.demand("token")
        let fresh = await stage.first { $0.credential != nil }
        #expect(fresh.generation == 1 && source.fetches == 2)
        await stage.end()
    }

    @Test func `a stopped engine is silent and lets go of its loop`() async throws {
        let stage = try Stage()
        await stage.engine.configure([CredentialMachineTests.exec])
        await stage.engine.stop()
        stage.engine.demand("token")
        #expect(await stage.engine.snapshots().first?.phase == .idle)
        #expect(stage.source.fetches == 0)
        await stage.end()
    }
}

/// An engine on a loop of its own, a source that answers when told, and everything it says.
private final class Stage: Sendable {
    let loop: EventLoop
    let engine: CredentialEngine
    /// The one made last.
    var source: ToldSource { sources.value.last ?? ToldSource() }
    var sourceCount: Int { sources.value.count }
    func source(_ number: Int) -> ToldSource { sources.value[number] }
    private let sources = Shared<[ToldSource]>([])
    let changes: Shared<[CredentialChange]>
    private let snapshots: AsyncStream<CredentialSnapshot>
    private let running: Task<Void, Never>

    init(
        clock: any HostClock = SystemClock(), store: (any CredentialStore)? = nil,
        makeSource: (@Sendable (CredentialSpec, EventLoop) -> any CredentialSource)? = nil
    ) throws {
        let loop = try EventLoop(name: "control")
        try loop.start()
        self.loop = loop
        let (snapshots, continuation) = AsyncStream.makeStream(of: CredentialSnapshot.self)
        self.snapshots = snapshots
        let changes = Shared<[CredentialChange]>([])
        self.changes = changes
        let sources = sources
        let engine = CredentialEngine(
            on: loop, clock: clock, seed: 1,
            makeSource: { spec in
                if let makeSource { return makeSource(spec, loop) }
                let source = ToldSource()
                sources.update { $0.append(source) }
                return source
            }, store: store, publish: { continuation.yield($0) },
            report: { _, change in changes.update { $0.append(change) } })
        self.engine = engine
        running = Task { await engine.run() }
    }

    /// The next published snapshot that `matches`.
    func first(where matches: (CredentialSnapshot) -> Bool) async -> CredentialSnapshot {
        for await snapshot in snapshots where matches(snapshot) { return snapshot }
        fatalError("the stream of snapshots does not end")
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

/// Keeps values in memory.
private final class MemoryStore: CredentialStore {
    let saved = Shared<[String]>([])
    let calls = Shared(0)
    let failure = Shared<NotKept?>(nil)
    private let values = Shared<[String: Secret]>([:])
    private let refreshTokens = Shared<[String: Secret]>([:])

    func loadRefresh(_ spec: CredentialSpec) async throws(NotKept) -> Secret? { refreshTokens.value[spec.name] }

    func saveRefresh(_ token: Secret?, _ spec: CredentialSpec) async throws(NotKept) {
        if let failure = failure.value { throw failure }
        refreshTokens.update { $0[spec.name] = token }
    }

    func load(_ spec: CredentialSpec, at now: HostTime) async throws(NotKept) -> SourceValue? {
        calls.update { $0 += 1 }
        return values.value[spec.name].map { SourceValue(secret: $0, expiry: .after(.seconds(500))) }
    }

    func save(_ credential: Credential, _ spec: CredentialSpec, at now: HostTime) async throws(NotKept) {
        calls.update { $0 += 1 }
        if let failure = failure.value { throw failure }
        let secret = credential.secret
        values.update { $0[spec.name] = secret }
        saved.update { $0.append("\(spec.name) \(credential.generation)") }
    }
}

/// Answers each fetch with the next answer it was given, and waits for one if there is none.
private final class ToldSource: CredentialSource {
    private let answers: AsyncStream<Result<SourceValue, CredentialFailure>>
    private let continuation: AsyncStream<Result<SourceValue, CredentialFailure>>.Continuation
    private let count = Atomic(0)

    init() {
        (answers, continuation) = AsyncStream.makeStream()
    }

    var fetches: Int { count.load(ordering: .relaxed) }

    func answer(_ result: Result<SourceValue, CredentialFailure>) {
        continuation.yield(result)
    }

    func fetch() async throws(CredentialFailure) -> SourceValue {
        count.add(1, ordering: .relaxed)
        for await answer in answers { return try answer.get() }
        throw CredentialFailure(.timedOut, "cancelled")
    }
}

/// Comes back from nothing, not even from being cancelled, until it is told to.
private final class StuckSource: CredentialSource {
    private let state = Shared<(count: Int, isBack: Bool, waiting: CheckedContinuation<Void, Never>?)>((0, false, nil))

    var fetches: Int { state.value.count }

    func comeBack() {
        state.update { state in
            state.isBack = true
            state.waiting?.resume()
            state.waiting = nil
        }
    }

    func fetch() async throws(CredentialFailure) -> SourceValue {
        await withCheckedContinuation { continuation in
            state.update { state in
                state.count += 1
                if state.isBack { continuation.resume() } else { state.waiting = continuation }
            }
        }
        return TestToken.value("value")
    }
}
