// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// Moved by hand.
final class HandClock: HostClock {
    private let time: AgentCore.Mutex<HostTime>

    init(_ time: HostTime) {
        self.time = Mutex(time)
    }

    func now() -> HostTime { time.withLock { $0 } }

    func update(_ body: (inout HostTime) -> Void) {
        time.withLock { body(&$0) }
    }
}
