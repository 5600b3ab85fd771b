// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Why a credential could not be had: a class for decisions and metrics, and one sentence for the person who repairs it.
struct CredentialFailure: Error, Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
        /// Nobody answered: no route, connection refused, name not found, connection cut.
        case unreachable
        /// Somebody answered no: HTTP 4xx or 5xx, a command that exited with an error.
        case refused
        /// The answer has no token where one was expected, or the token has bytes that no header field may carry.
        case malformed
        /// A token came, but its life is already over on this host's clock.
        case expired
        /// The time limit of the fetch passed.
        case timedOut = "timed-out"
        /// An answer, and nothing in it.
        case empty
        /// The token that is held already came again, with no longer life.
        case unchanged
        /// The source itself is missing on this host: no such file, variable, command or folder.
        case unavailable
    }

    let kind: Kind
    /// A sentence that names the thing, the value and the repair: no secret, lower-case start, no final period.
    let message: String
    /// How long the issuer asked to be left alone. Bounded by `BackOff.longestRetryAfter` when it is obeyed.
    let retryAfter: Duration?

    init(_ kind: Kind, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }

    /// A bounded word for metric labels and the access log.
    var code: String { kind.rawValue }
}

extension CredentialFailure: CustomStringConvertible {
    var description: String { message }
}
