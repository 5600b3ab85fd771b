// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The isolation of a short-lived command's work, and the place of its result.
actor OneShotActor: LoopBound {
    nonisolated let loop: EventLoop
    private let result = Mutex<(any Sendable)?>(nil)

    init(on loop: EventLoop) {
        self.loop = loop
    }

    func run<Value: Sendable>(_ work: @Sendable (EventLoop) async -> Value) async {
        let value = await work(loop)
        result.withLock { $0 = value }
    }

    nonisolated func take<Value: Sendable>() -> Value? {
        result.withLock { $0 as? Value }
    }
}
