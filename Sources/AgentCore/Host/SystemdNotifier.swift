// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CSystemd

/// Tells the service manager how the agent is: sd_notify(3).
///
/// Without one nothing happens, and an error never hurts: a state that is not told changes nothing in what is served.
/// Each call is one datagram; it returns whether it was delivered. The order of READY, RELOADING and STOPPING is the
/// caller's, who sends them from one place.
enum SystemdNotifier {
    /// The agent listens (again): after the start, and after each reload, also one that failed.
    @discardableResult
    static func ready(status: String) -> Bool {
        send("READY=1\nSTATUS=\(line(status))")
    }

    /// A reload begins. The time stamp is what `Type=notify-reload` of systemd 253 asks for.
    @discardableResult
    static func reloading() -> Bool {
        send("RELOADING=1\nMONOTONIC_USEC=\(SystemClock.monotonic() / 1000)")
    }

    /// No new work is taken; before draining.
    @discardableResult
    static func stopping(status: String) -> Bool {
        send("STOPPING=1\nSTATUS=\(line(status))")
    }

    /// One line for `systemctl status`.
    @discardableResult
    static func status(_ status: String) -> Bool {
        send("STATUS=\(line(status))")
    }

    /// The agent is alive; to be sent at half of `watchdogInterval`, by a loop that works.
    @discardableResult
    static func watchdog() -> Bool {
        send("WATCHDOG=1")
    }

    /// A start, reload or stop takes that much longer from now.
    @discardableResult
    static func extendTimeout(by time: Duration) -> Bool {
        send("EXTEND_TIMEOUT_USEC=\(max(0, time.nanoseconds / 1000))")
    }

    /// After how long without `watchdog()` systemd takes the agent for stuck: WatchdogSec=. Nil when it does not watch.
    static var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    private static func send(_ state: String) -> Bool {
        unsafe sd_notify(0, state) > 0
    }

    /// A line break would begin another assignment.
    private static func line(_ text: String) -> String {
        String(printing: text, limit: 500)
    }
}
