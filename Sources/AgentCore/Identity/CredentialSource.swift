// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Something that can be asked for a credential's value. One is asked once at a time: `CredentialMachine` sees to it.
protocol CredentialSource: Sendable {
    /// Runs on the control loop; what blocks is to be offloaded. Ends early when its task is cancelled.
    func fetch() async throws(CredentialFailure) -> SourceValue
}

/// What a source answered, not yet judged.
struct SourceValue: Sendable {
    let secret: Secret
    /// What the answer said of the token's end, beside the token itself.
    var expiry: Expiry?
    /// The issuer's clock, from a `Date` field: nanoseconds since 1970.
    var issuerWall: Int64?

    enum Expiry: Sendable, Equatable {
        /// A moment on the wall clock, nanoseconds since 1970.
        case at(Int64)
        /// A length from now, nanoseconds: `expires_in` of RFC 6749 §5.1.
        case after(Int64)
    }
}
