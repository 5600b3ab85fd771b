// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// News of a credential, told once when it becomes true and not at every call that meets it.
enum CredentialChange: Sendable, Equatable {
    /// A new value. `life`: nanoseconds, nil if it has no end.
    case received(generation: UInt64, life: Int64?)
    /// A value kept from before a restart. `life`: as above.
    case restored(generation: UInt64, life: Int64?)
    /// What was kept from before a restart cannot be used, or nothing can be kept: why.
    case notKept(String)
    /// The first failure after a success. `usable`: the value held is still good.
    case failing(CredentialFailure, usable: Bool)
    case recovered(failures: Int)
    /// The value held has ended, and somebody wants one.
    case expired
    /// The value held has ended, and nobody had asked for it.
    case lapsed
    /// An upstream refused the value. `renews`: the source is asked for another.
    case rejected(generation: UInt64, renews: Bool)
    /// The host's clock is off, or no longer.
    case skew(ClockSkew?)
    /// The issuer takes the refresh token no more: its words.
    case refreshRefused(String)

    /// Whether an operator should look.
    var isWarning: Bool {
        switch self {
        case .received, .restored, .recovered, .lapsed: false
        case .notKept, .failing, .expired, .rejected, .refreshRefused: true
        case .skew(let skew): skew != nil
        }
    }

    /// A sentence for the log, to stand behind the credential's name.
    var message: String {
        switch self {
        case .received(let generation, let life):
            "received generation \(generation), "
                + (life.map { "good for \(ReadableDuration($0))" } ?? "without an end")
        case .restored(let generation, let life):
            "kept from before the restart as generation \(generation), "
                + (life.map { "good for \(ReadableDuration($0))" } ?? "without an end")
        case .notKept(let reason): reason
        case .failing(let failure, let usable):
            (usable ? "renewal fails, the value held stays in use: " : "cannot be had: ") + failure.message
        case .recovered(let failures): "works again after \(failures) failure\(failures == 1 ? "" : "s")"
        case .expired: "has expired and is no longer sent"
        case .lapsed: "has lapsed, since nobody asked for it; the next caller brings it back"
        case .rejected(let generation, let renews):
            "generation \(generation) was rejected by the upstream; "
                + (renews ? "it is renewed" : "it was renewed for that a short time ago, so the fault is not its age")
        case .refreshRefused(let reason):
            "the refresh token is no longer taken: \(reason); it is forgotten, and the first request asked again"
        case .skew(let skew): skew?.description ?? "this host's clock agrees with the issuer's again"
        }
    }
}
