// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// A loop on a thread of its own with an actor on it: where tests run code that is confined to a loop.
actor LoopActor {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    private init(_ loop: EventLoop) {
        self.loop = loop
    }

    /// Runs `body` on the loop with a parker of its own.
    func run<Value: Sendable>(
        _ body: @Sendable (isolated LoopActor, EventLoop, Parker) async throws -> Value
    ) async rethrows -> Value {
        try await body(self, loop, Parker(on: loop))
    }

    /// A fresh loop for the time of `body`.
    static func with<Value: Sendable>(
        crowd: EventLoop.Crowd = .init(),
        _ body: @Sendable (isolated LoopActor, EventLoop, Parker) async throws -> Value
    ) async throws -> Value {
        let loop = try EventLoop(name: "test", crowd: crowd)
        try loop.start()
        defer { loop.stop() }
        let actor = LoopActor(loop)
        return try await withTaskExecutorPreference(loop) { try await actor.run(body) }
    }
}

/// A value that tasks and threads of a test share.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) {
        mutex = Mutex(value)
    }

    var value: Value { mutex.withLock { $0 } }

    func update(_ body: (inout Value) -> Void) {
        mutex.withLock { body(&$0) }
    }
}
