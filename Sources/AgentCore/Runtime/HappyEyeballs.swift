// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Which address to try when, by RFC 8305: families take turns, and an attempt that is slow gets company instead of a
/// time limit. A pure decision; `Dialer` makes the attempts.
struct HappyEyeballs {
    /// Pause before the next attempt joins (RFC 8305 §5, "Connection Attempt Delay"): 250 ms, in nanoseconds.
    static let attemptDelay: Int64 = 250_000_000

    private var waiting: [SocketAddress]
    private var nextAttempt: Int64 = .min
    private var running = 0

    enum Step {
        /// Start an attempt to this address now, and ask again.
        case attempt(SocketAddress)
        /// Wait for an attempt to end, or until this time (monotonic nanoseconds; nil: there is no other address).
        case wait(until: Int64?)
        /// Every address has been tried in vain.
        case exhausted
    }

    /// - Parameter addresses: in the resolver's order; the first one's family begins (RFC 8305 §4).
    init(_ addresses: [SocketAddress]) {
        guard let first = addresses.first else {
            waiting = []
            return
        }
        let preferred = addresses.filter { $0.family == first.family }
        let others = addresses.filter { $0.family != first.family }
        waiting = (0..<max(preferred.count, others.count)).flatMap { index in
            [preferred, others].compactMap { index < $0.count ? $0[index] : nil }
        }
    }

    mutating func step(at now: Int64) -> Step {
        guard !waiting.isEmpty else { return running == 0 ? .exhausted : .wait(until: nil) }
        guard running == 0 || now >= nextAttempt else { return .wait(until: nextAttempt) }
        running += 1
        nextAttempt = now + Self.attemptDelay
        return .attempt(waiting.removeFirst())
    }

    /// An attempt failed: the next address may start at once.
    mutating func attemptFailed() {
        running -= 1
        nextAttempt = .min
    }
}
