// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Everything that is known of one credential at one moment, published to every loop after each change.
///
/// A snapshot does not grow old by being kept: what depends on the time takes the time.
///
/// A loop that uses the value, or would have if it could, says so once a snapshot (`CredentialEngine.used`, `.demand`):
/// that is all the engine needs to know who is interested, and the way of a request stays free of it.
struct CredentialSnapshot: Sendable {
    enum Phase: Sendable, Equatable {
        /// Nothing is held, and nobody wants it or the next try is to be started by the next caller.
        case idle
        /// The source is being asked. Something usable may be held at the same time.
        case fetching
        /// The source is left alone until this moment of the boot clock, in nanoseconds; when it has passed, the next
        /// caller that demands the credential starts a fetch.
        case backingOff(until: Int64)
        /// A usable value is held and nothing needs to happen now.
        case fresh
    }

    private(set) var name: String
    private(set) var kind: CredentialKind
    /// The word of the configuration file for the source.
    let sourceKind: String
    /// The value held, which may have passed its end: ask `isUsable(at:)`.
    let credential: Credential?
    private(set) var phase: Phase
    /// The last fetch, if it failed.
    let failure: CredentialFailure?
    /// When it failed.
    let failedAt: HostTime?
    /// Failures in a row.
    let failures: Int
    /// Until this moment of the boot clock the value held counts as rejected by an upstream; `Int64.min`: it does not.
    let rejectedUntil: Int64
    /// When the source is asked next if nobody asks for it earlier; nil if nothing is planned. For people it is
    /// `remaining(at:)` away: a retry is planned on the boot clock alone.
    let nextRenewal: HostTime?
    /// The newest generation there was; 0 before the first.
    let generation: UInt64
    /// Different values received since the start.
    let mints: UInt64
    /// Fetches started since the start.
    let fetches: UInt64
    let skew: ClockSkew?
    /// Which source under which rules it came from. A reload may give a name to another: what was begun with the one
    /// never goes on with the other. 0 outside of an engine.
    var lineage: UInt64 = 0
    /// A reload has ended the lineage, and nothing more will be published of it: what is held may be used to its end, and
    /// what is not is not to be waited for.
    private(set) var isRetired = false

    mutating func retire() {
        isRetired = true
        phase = .idle
    }

    /// The same of another credential that has the same source.
    func named(_ name: String, kind: CredentialKind) -> CredentialSnapshot {
        var other = self
        other.name = name
        other.kind = kind
        return other
    }

    /// Whether the value may be sent: it has begun and has not ended, by both clocks.
    func isUsable(at now: HostTime) -> Bool {
        credential?.isUsable(at: now) ?? false
    }

    /// Whether callers should wait for a renewal although the value may still be sent.
    func isMandatory(at now: HostTime) -> Bool {
        credential?.schedule.mandatory.isReached(at: now) ?? true
    }

    func isRejected(at now: HostTime) -> Bool {
        now.boot < rejectedUntil
    }

    /// Whether a caller that asks for at least `life` nanoseconds gets them.
    func isUsable(for life: Int64, at now: HostTime) -> Bool {
        isUsable(at: now) && (credential?.expires.remaining(at: now) ?? 0) >= life
    }
}

extension CredentialSnapshot: Equatable {
    /// The secret itself is represented by its generation.
    static func == (left: CredentialSnapshot, right: CredentialSnapshot) -> Bool {
        left.name == right.name && left.phase == right.phase && left.failure == right.failure
            && left.failedAt == right.failedAt && left.failures == right.failures
            && left.rejectedUntil == right.rejectedUntil && left.nextRenewal == right.nextRenewal
            && left.generation == right.generation && left.mints == right.mints && left.fetches == right.fetches
            && left.skew == right.skew && left.kind == right.kind && left.sourceKind == right.sourceKind
            && left.credential?.generation == right.credential?.generation
            && left.credential?.schedule == right.credential?.schedule
    }
}
