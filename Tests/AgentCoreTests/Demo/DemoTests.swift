// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite
struct DemoTests {
    /// Starts everything, and ends it whatever comes.
    private func withStage(_ body: (DemoStage) async throws -> Void) async throws {
        let stage = try await DemoStage.start(log: .silent)
        do { try await body(stage) } catch {
            await stage.stop()
            throw error
        }
        await stage.stop()
    }

    // That the story is as told, `make test` proves by `demo --once`: it goes by the clock, and has the machine to itself.

    @Test func `a story that goes wrong is not told to its end`() async throws {
        try await withStage { stage in
            let loop = try EventLoop(name: "story")
            try loop.start()
            defer { loop.stop() }
            // Identity cannot be had from the first, so the first step is not as told.
            await stage.issuer.fail(.serverError)
            let story = DemoStory(stage, DemoNarrator { _ in }, on: loop)
            await #expect(throws: DemoFailure.self) { try await story.tell() }
        }
    }
}
