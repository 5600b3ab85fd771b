// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// What the agent asks of the kernel for its own process, once, at the start.
enum HostProcess {
    /// No core dump, and no ptrace(2) or /proc/PID/mem by other processes of the same user: the memory holds secrets.
    static func forbidDumps() throws(SystemError) {
        guard clinux_set_dumpable(0) == 0 else { throw SystemError("prctl", on: "PR_SET_DUMPABLE") }
        // For the time after an execve(2), which makes a process dumpable again.
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else {
            throw SystemError("setrlimit", on: "RLIMIT_CORE")
        }
    }

    /// One data loop a processor that this process may run on, four at most: they serve I/O, not computation.
    static var defaultThreadCount: Int {
        // Room for 1024 processors, as in cpu_set_t.
        var mask = [UInt](repeating: 0, count: 16)
        guard unsafe sched_getaffinity(0, UInt(mask.count * MemoryLayout<UInt>.size), &mask) >= 0 else { return 1 }
        let processors = mask.reduce(0) { $0 + $1.nonzeroBitCount }
        return min(max(1, processors), 4)
    }

    /// Raises the soft limit of open descriptors to the hard one. Children inherit it.
    ///
    /// - Returns: how many descriptors may be open now.
    @discardableResult
    static func raiseDescriptorLimit() throws(SystemError) -> UInt64 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemError("getrlimit", on: "RLIMIT_NOFILE")
        }
        guard limit.rlim_cur < limit.rlim_max else { return UInt64(limit.rlim_cur) }
        limit.rlim_cur = limit.rlim_max
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemError("setrlimit", on: "RLIMIT_NOFILE")
        }
        return UInt64(limit.rlim_cur)
    }
}
