// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Something that can be asked for a credential's value. One is asked once at a time: `CredentialEngine`
/// sees to it.
protocol CredentialSource: Sendable {
    /// Runs on the control loop; what blocks is to be offloaded. Ends early when its task is cancelled.
    func fetch() async throws(CredentialFailure) -> SourceValue
    /// The same, with what an earlier answer left for this one. Its owner lends it to one fetch at a time.
    func fetch(with grant: RefreshGrant) async throws(CredentialFailure) -> SourceValue
}

extension CredentialSource {
    func fetch(with grant: RefreshGrant) async throws(CredentialFailure) -> SourceValue { try await fetch() }
}

/// A refresh token between two fetches (RFC 6749 §6).
///
/// An issuer that rotates it takes each one once. So the newest is held here from the moment in which an answer brought
/// it, whatever becomes of that answer, and an old one is given up only for a new one or at the issuer's word.
///
/// ## Concurrency
/// Confined to the control loop.
final class RefreshGrant {
    private(set) var token: Secret?
    /// Counts the changes, so that its owner sees one.
    private(set) var version = 0
    /// Why the token was given up, until somebody has told it.
    private var farewell: String?

    init(_ token: Secret? = nil) {
        self.token = token
    }

    func replace(by new: Secret) {
        guard token?.isEqual(to: new) != true else { return }
        token = new
        version += 1
    }

    /// The issuer takes it no more.
    func drop(_ reason: String) {
        token = nil
        version += 1
        farewell = reason
    }

    /// From the store, unless there is a newer one.
    func restore(_ kept: Secret) {
        if token == nil, version == 0 { token = kept }
    }

    func takeFarewell() -> String? {
        defer { farewell = nil }
        return farewell
    }
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
