// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// One moment, read on the two clocks that an expiry is judged by.
///
/// The wall clock is what issuers write into `exp`, and it steps; the boot-time clock never steps and runs on while the
/// host is suspended, but knows no date. Whichever reaches the end first decides (PEERS: cloud-sql-proxy#1788, the
/// monotonic clock of a suspended host served expired tokens).
struct HostTime: Sendable, Hashable {
    /// `CLOCK_REALTIME`, nanoseconds since 1970-01-01T00:00:00Z.
    var wall: Int64
    /// `CLOCK_BOOTTIME`, nanoseconds since boot, suspended time included.
    var boot: Int64
}

/// Where the time comes from: the system in the agent, a hand-moved clock in tests and in the simulation.
protocol HostClock: Sendable {
    func now() -> HostTime
}

/// The clocks of the host: clock_gettime(2), answered by the vDSO without a system call.
struct SystemClock: HostClock {
    func now() -> HostTime {
        HostTime(wall: Self.read(CLOCK_REALTIME), boot: Self.read(CLOCK_BOOTTIME))
    }

    /// `CLOCK_MONOTONIC`, for input and output deadlines: a suspended host must not find all its connections timed out.
    static func monotonic() -> Int64 {
        read(CLOCK_MONOTONIC)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at about 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }
}
