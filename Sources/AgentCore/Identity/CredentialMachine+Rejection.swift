// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension CredentialMachine {
    /// What is remembered of an upstream's refusals.
    ///
    /// The first refusal of a generation renews it at once. If the renewed value is refused as well within the cooldown,
    /// the fault is not the value's age, and renewing it again would only load the issuer: it stays marked until the
    /// cooldown is over, then is tried again as it is, and only the next refusal renews it.
    struct Rejection: Sendable, Equatable {
        /// Until when the value held counts as refused, on the boot clock.
        private(set) var until = Int64.min
        /// A renewal is owed for it.
        var isRenewalDue = false
        private var nextRenewal = Int64.min
        private var streak = 0

        static let longestCooldown = Duration.seconds(1800)

        func isActive(at now: HostTime) -> Bool {
            now.boot < until
        }

        /// - Returns: whether this one causes a renewal.
        mutating func record(at now: HostTime, cooldown: Duration) -> Bool {
            guard now.boot >= nextRenewal else {
                until = nextRenewal
                return false
            }
            let length = min(cooldown.nanoseconds << min(streak, 8), Self.longestCooldown.nanoseconds)
            streak += 1
            until = now.boot.plus(length)
            nextRenewal = until
            isRenewalDue = true
            return true
        }

        /// Another value is held now. The cooldown goes on.
        mutating func valueReplaced(at now: HostTime) {
            if now.boot >= nextRenewal { streak = 0 }
            until = .min
            isRenewalDue = false
        }
    }
}
