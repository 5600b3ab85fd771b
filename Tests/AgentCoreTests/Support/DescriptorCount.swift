// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// The open descriptors of this process, for tests that look for leaks.
///
/// Only where nothing else runs meanwhile: in a process of the test's own, `#expect(processExitsWith:)`.
enum DescriptorCount {
    private static let turns = 100_000
    private static let rounds = 20

    /// Runs `body` once so that what is made once is there, then twenty times, after which not one more each time is open.
    ///
    /// What a loop closes at an event that is under way gets its turns; a leak stays through all of them. A few more are
    /// none: a sanitizer opens pipes to a helper of its own when it has something to look up.
    static func staysTheSame(_ body: () async throws -> Void) async throws {
        try await body()
        let limit = open + rounds
        for _ in 0..<rounds { try await body() }
        for _ in 0..<turns where open >= limit { await EventLoop.offload {} }
        try #require(open < limit, "\(open) are open, which should be fewer than \(limit)")
    }

    /// proc_pid_fd(5).
    private static var open: Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe _ = closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }
}
