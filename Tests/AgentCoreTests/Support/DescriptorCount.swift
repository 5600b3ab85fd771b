// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// The open descriptors of this process, for tests that look for leaks.
enum DescriptorCount {
    /// Whether there come to be fewer than `limit`: other tests run meanwhile and have theirs, for a moment.
    static func falls(below limit: Int) async -> Bool {
        for _ in 0..<6000 where now >= limit { await EventLoop.offload { _ = usleep(10_000) } }
        return now < limit
    }

    static var now: Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe _ = closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }
}
