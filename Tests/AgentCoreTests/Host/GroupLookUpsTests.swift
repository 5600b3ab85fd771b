// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Dispatch
import Glibc
import Testing

@testable import AgentCore

/// The user database as a directory server in trouble: questions hang until they are let go, or fail.
final class HungDatabase: Sendable {
    let asked = Shared<[UInt32]>([])
    private let (questions, question) = AsyncStream<UInt32>.makeStream()
    private let gate = DispatchSemaphore(value: 0)
    private let error = Shared<SystemError?>(nil)

    func lookUps(patience: Duration = .seconds(60)) -> GroupLookUps {
        GroupLookUps(patience: patience) { [self] uid throws(SystemError) in
            asked.update { $0.append(uid) }
            question.yield(uid)
            gate.wait()
            gate.signal()
            if let error = error.value { throw error }
            return [uid + 1]
        }
    }

    /// Waits until so many more questions are under way.
    func waitForQuestions(_ count: Int) async {
        var count = count
        for await _ in questions {
            count -= 1
            if count == 0 { return }
        }
    }

    /// Answers, now and from now on.
    func answer(error: SystemError? = nil) {
        self.error.update { $0 = error }
        gate.signal()
    }
}

@Suite(.timeLimit(.minutes(1)))
struct GroupLookUpsTests {
    private static func find(
        _ uid: UInt32, _ groups: CallerGroups, on loop: EventLoop, while isWanted: () -> Bool = { true }
    ) async -> String {
        do throws(CallerGroups.Failure) {
            return "\(try await groups.find(uid, waking: Parker(on: loop), while: isWanted).sorted())"
        } catch {
            if case .unknown(let why) = error { return why }
            return "abandoned"
        }
    }

    @Test func `a user is asked for once, whoever waits, on whatever loop`() async throws {
        let database = HungDatabase()
        let lookUps = database.lookUps()
        let waiting = Shared(0)
        try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<2 {
                group.addTask {
                    try await LoopActor.with { _, loop, _ in
                        let groups = CallerGroups(on: loop, lookUps)
                        var tasks: [Task<String, Never>] = []
                        for _ in 0..<5 {
                            tasks.append(
                                Task(executorPreference: loop) {
                                    await Self.find(7, groups, on: loop) {
                                        waiting.update { $0 += 1 }
                                        return true
                                    }
                                })
                        }
                        var found: [String] = []
                        for task in tasks { found.append(await task.value) }
                        // Remembered.
                        found.append(await Self.find(7, groups, on: loop))
                        return found
                    }
                }
            }
            await database.waitForQuestions(1)
            while waiting.value < 10 { await Task.yield() }
            database.answer()
            for try await found in group { #expect(found == Array(repeating: "[8]", count: 6)) }
        }
        #expect(database.asked.value == [7])
    }

    @Test func `look-ups that hang leave the threads to others, and go on when they are answered`() async throws {
        let database = HungDatabase()
        let lookUps = database.lookUps()
        let answers = Shared<[UInt32: GroupLookUps.Outcome]>([:])
        let (told, tell) = AsyncStream<Void>.makeStream()
        for uid in 0..<UInt32(100) {
            lookUps.find(uid) { outcome in
                answers.update { $0[uid] = outcome }
                tell.yield()
            }
        }
        await database.waitForQuestions(GroupLookUps.limit)
        // There are 64 threads, and all but four are free.
        await withTaskGroup { group in
            for _ in 0..<60 { group.addTask { await EventLoop.offload { () } } }
        }
        #expect(database.asked.value.count == GroupLookUps.limit)
        database.answer()
        var count = 0
        for await _ in told {
            count += 1
            if count == 100 { break }
        }
        #expect((0..<UInt32(100)).allSatisfy { uid in (try? answers.value[uid]?.get()) == [uid + 1] })
        // Four at most at once, and each only once.
        #expect(database.asked.value.count == 100)
    }

    @Test func `who is not answered in time is told so, and is known as soon as the answer comes`() async throws {
        let database = HungDatabase()
        let lookUps = database.lookUps(patience: .milliseconds(50))
        try await LoopActor.with { _, loop, _ in
            let groups = CallerGroups(on: loop, lookUps)
            for _ in 1...2 {
                #expect(await Self.find(7, groups, on: loop) == "the user database did not answer within 50 ms")
            }
            #expect(groups.known(of: 7) == nil)
            database.answer()
            while groups.known(of: 7) == nil { await Task.yield() }
            #expect(await Self.find(7, groups, on: loop) == "[8]")
            #expect(database.asked.value == [7])
        }
    }

    @Test func `a failure is told with its reason, and not taken for having no groups`() async throws {
        let database = HungDatabase()
        let lookUps = database.lookUps()
        database.answer(error: SystemError("getpwuid_r", code: EIO, on: "7"))
        try await LoopActor.with { _, loop, _ in
            let groups = CallerGroups(on: loop, lookUps)
            let why = await Self.find(7, groups, on: loop)
            #expect(why.hasPrefix("the user database failed: getpwuid_r"), "\(why)")
            #expect(groups.known(of: 7) == nil)
            database.answer()
            // It is asked again before long, and not by everybody at once.
            while await Self.find(7, groups, on: loop) != "[8]" { await Task.yield() }
            #expect(database.asked.value == [7, 7])
        }
    }

    @Test func `a caller that has left waits no longer`() async throws {
        let database = HungDatabase()
        let lookUps = database.lookUps()
        try await LoopActor.with { _, loop, _ in
            let groups = CallerGroups(on: loop, lookUps)
            let parker = Parker(on: loop)
            var isWanted = true
            // As its connection does it.
            parker.unpark()
            do throws(CallerGroups.Failure) {
                _ = try await groups.find(7, waking: parker) {
                    defer { isWanted = false }
                    return isWanted
                }
                Issue.record("found")
            } catch {
                guard case .abandoned = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
        database.answer()
    }
}
