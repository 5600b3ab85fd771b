// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Tells when the wall clock was set, or the host woke from suspend (which sets it too).
///
/// A timer on `CLOCK_REALTIME` far ahead that the kernel cancels at every step: timerfd_create(2),
/// `TFD_TIMER_CANCEL_ON_SET`. It costs nothing while the clock only runs.
final class ClockWatch: EventTarget {
    private let loop: EventLoop
    private let descriptor: Descriptor
    private let stepped: () -> Void
    private var registration: RegistrationID?

    /// - Parameter stepped: called on the loop after each step.
    init(on loop: EventLoop, stepped: @escaping () -> Void) throws(SystemError) {
        self.loop = loop
        self.stepped = stepped
        let raw = timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard raw >= 0 else { throw SystemError("timerfd_create") }
        descriptor = Descriptor(owning: raw)
        try arm()
        registration = try loop.register(raw, events: EPOLLIN.rawValue | EPOLLET.rawValue, target: self)
    }

    /// Ends the watch; the loop holds it until then.
    func stop() {
        if let registration { loop.deregister(registration, keepingOpen: descriptor.raw) }
        registration = nil
    }

    func eventsArrived(_ events: UInt32) {
        var expirations: UInt64 = 0
        let count = unsafe read(descriptor.raw, &expirations, MemoryLayout<UInt64>.size)
        // ECANCELED is the step. Anything else is the end of the wait, in the far future: armed again all the same.
        let isStep = count < 0 && errno == ECANCELED
        try? arm()
        if isStep { stepped() }
    }

    private func arm() throws(SystemError) {
        var when = itimerspec()
        // A year ahead of the clock as it stands: the end of time is refused by some kernels.
        when.it_value.tv_sec = time(nil) + 365 * 86_400
        // TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET
        guard unsafe timerfd_settime(descriptor.raw, 1 | 2, &when, nil) == 0 else {
            throw SystemError("timerfd_settime")
        }
    }
}
