// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Tells when the wall clock was set, or the host woke from suspend: the kernel cancels a timer that asks for it
/// (TFD_TIMER_CANCEL_ON_SET of timerfd_create(2)). Costs nothing while nothing happens.
final class ClockWatch: EventTarget {
    private let loop: EventLoop
    private let descriptor: Descriptor
    private var registration: RegistrationID?
    private let stepped: () -> Void

    /// - Parameter stepped: called on the loop.
    /// - Returns: nil where the kernel has no such timer; expiry is then judged at each use alone.
    init?(on loop: EventLoop, _ stepped: @escaping () -> Void) {
        let raw = timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        guard raw >= 0 else { return nil }
        descriptor = Descriptor(owning: raw)
        self.loop = loop
        self.stepped = stepped
        arm()
        registration = try? loop.register(raw, events: EPOLLIN.rawValue | EPOLLET.rawValue, target: self)
        guard registration != nil else { return nil }
    }

    /// Seconds since 1970: a little before the end of ktime_t in the year 2262, and later than any that the kernel lets a
    /// clock be set to. A host whose clock is wrong by decades would else have the timer expire again and again.
    static let never = 9_000_000_000

    /// A moment that does not come; only the cancellation is of interest.
    private func arm() {
        var time = itimerspec()
        time.it_value.tv_sec = Self.never
        unsafe _ = timerfd_settime(
            descriptor.raw, Int32(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET), &time, nil)
    }

    func eventsArrived(_ events: UInt32) {
        var count: UInt64 = 0
        unsafe _ = read(descriptor.raw, &count, 8)
        arm()
        stepped()
    }

    func close() {
        if let registration { loop.deregister(registration, keepingOpen: descriptor.raw) }
        registration = nil
    }
}
