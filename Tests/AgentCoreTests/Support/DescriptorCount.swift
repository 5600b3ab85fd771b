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

    /// Runs `body` once so that what is made once is there, then twenty times, after which no more may be open.
    ///
    /// What a loop closes at an event that is under way gets its turns. A leak stays through all of them.
    static func staysTheSame(_ body: () async throws -> Void) async throws {
        try await body()
        let before = open
        for _ in 0..<20 { try await body() }
        for _ in 0..<turns where open.count > before.count { await EventLoop.offload {} }
        try #require(open.count <= before.count, "\(open) after \(before)")
    }

    /// What each number stands for: proc_pid_fd(5).
    private static var open: [String] {
        guard let folder = unsafe opendir("/proc/self/fd") else { return [] }
        defer { unsafe _ = closedir(folder) }
        var found: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            found.append(name)
        }
        return found.sorted()
    }
}
