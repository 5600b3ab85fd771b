// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// The signals that steer the agent.
enum HostSignal: Int32, Sendable, CaseIterable {
    case terminate = 15
    case interrupt = 2
    case hangup = 1
}

/// The steering signals as a descriptor: signalfd(2). Nothing ever runs in a signal handler.
struct HostSignals: ~Copyable {
    private let descriptor: Descriptor

    /// Takes the steering signals off all threads; from now on only who reads them here hears of them. To be called
    /// before any thread is started: threads inherit the mask of who starts them.
    static func takeOver() {
        var set = steering
        unsafe _ = pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Makes SIGPIPE harmless: a write to a peer that is gone is an error like any other. SIGCHLD is as it is by
    /// default, whatever the program was started with: ignored, it would have the kernel reap commands before anybody
    /// could ask how they ended (wait(2)). To be called first thing in `main`.
    static func settle() {
        ignoreBrokenPipes()
        _ = signal(SIGCHLD, SIG_DFL)
    }

    static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    private static var steering: sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in HostSignal.allCases { unsafe sigaddset(&set, signal.rawValue) }
        return set
    }

    init() throws(SystemError) {
        var set = Self.steering
        let raw = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        guard raw >= 0 else { throw SystemError("signalfd") }
        descriptor = Descriptor(owning: raw)
    }

    /// To be watched for readability.
    var rawDescriptor: Int32 { descriptor.raw }

    /// The next signal that has come; nil when there is none now. Never waits.
    func next() -> HostSignal? {
        var info = signalfd_siginfo()
        while true {
            let count = unsafe read(descriptor.raw, &info, MemoryLayout<signalfd_siginfo>.size)
            if count < 0 && errno == EINTR { continue }
            guard count == MemoryLayout<signalfd_siginfo>.size else { return nil }
            return HostSignal(rawValue: Int32(bitPattern: info.ssi_signo))
        }
    }
}
