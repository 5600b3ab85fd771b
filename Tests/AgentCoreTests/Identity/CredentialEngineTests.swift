// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

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
        stage.engine.rejected("token", generation: 1)
        stage.source.answer(.success(TestToken.value("value-2")))
        _ = await stage.first { $0.generation == 2 }
        for _ in 0..<200 { stage.engine.rejected("token", generation: 1) }
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
    private let sources = Shared<[ToldSource]>([])
    let changes: Shared<[CredentialChange]>
    private let snapshots: AsyncStream<CredentialSnapshot>
    private let running: Task<Void, Never>

    init() throws {
        let loop = try EventLoop(name: "control")
        try loop.start()
        self.loop = loop
        let (snapshots, continuation) = AsyncStream.makeStream(of: CredentialSnapshot.self)
        self.snapshots = snapshots
        let changes = Shared<[CredentialChange]>([])
        self.changes = changes
        let sources = sources
        let engine = CredentialEngine(
            on: loop, seed: 1,
            makeSource: { _ in
                let source = ToldSource()
                sources.update { $0.append(source) }
                return source
            }, publish: { continuation.yield($0) },
            report: { _, change in changes.update { $0.append(change) } })
        self.engine = engine
        running = Task { await engine.run() }
    }

    /// The next published snapshot that `matches`.
    func first(where matches: (CredentialSnapshot) -> Bool) async -> CredentialSnapshot {
        for await snapshot in snapshots where matches(snapshot) { return snapshot }
        fatalError("the stream of snapshots does not end")
    }

    func end() async {
        await engine.stop()
        await running.value
        loop.stop()
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
