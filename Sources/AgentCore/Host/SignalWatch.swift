// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux

/// Delivers the steering signals on a loop.
final class SignalWatch: EventTarget {
    private let loop: EventLoop
    private let signals: HostSignals
    private var registration: RegistrationID?
    private let take: (HostSignal) -> Void

    /// - Parameter take: called on the loop, outside of any task.
    init(on loop: EventLoop, _ take: @escaping (HostSignal) -> Void) throws(SystemError) {
        self.loop = loop
        self.take = take
        signals = try HostSignals()
        registration = try loop.register(
            signals.rawDescriptor, events: EPOLLIN.rawValue | EPOLLET.rawValue, target: self)
    }

    func eventsArrived(_ events: UInt32) {
        while let signal = signals.next() { take(signal) }
    }

    func close() {
        if let registration { loop.deregister(registration, keepingOpen: signals.rawDescriptor) }
        registration = nil
    }
}
