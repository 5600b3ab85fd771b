// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A value that may be sent, and for how long.
struct Credential: Sendable {
    let name: String
    let kind: CredentialKind
    let secret: Secret
    /// Counts the different values of this credential. A rejection names the generation it is about, so that a late one
    /// cannot evict the value that came after.
    let generation: UInt64
    let received: HostTime
    let schedule: RenewalSchedule

    /// The end, as a deadline on both clocks; `.never` for a value without one.
    var expires: HostTime { schedule.expiry }

    func isUsable(at now: HostTime) -> Bool {
        schedule.start.isReached(at: now) && !schedule.expiry.isReached(at: now)
    }

    /// Whether a value like this one has so many nanoseconds of life when it comes; if not, asking for another is no use.
    func canLast(_ life: Int64) -> Bool {
        (schedule.life ?? .max) >= life
    }

    /// The same value with a life that was found to be longer.
    func extended(by other: Credential) -> Credential {
        Credential(
            name: name, kind: kind, secret: secret, generation: generation, received: other.received,
            schedule: other.schedule)
    }
}

extension Credential {
    /// Judges what a source answered: the token's own `exp`, the end told beside it and `maxAge`, whichever is first.
    ///
    /// - Parameters:
    ///   - jitter: 0 up to 1, drawn for this answer.
    ///   - isStaggered: as `RenewalPolicy.schedule` has it.
    /// - Throws: `.expired` if its life is already over by this host's clocks.
    init(
        _ value: SourceValue, as spec: CredentialSpec, generation: UInt64, at now: HostTime, policy: RenewalPolicy,
        jitter: Double, isStaggered: Bool = false
    ) throws(CredentialFailure) {
        let token = value.secret.withExposedBytes { JSONWebToken($0) }
        var expires = token?.expires
        var remaining: Int64?
        switch value.expiry {
        case .at(let moment): expires = min(expires ?? .max, moment)
        case .after(let length): remaining = length
        case nil: break
        }
        if expires == nil, remaining == nil { remaining = spec.effectiveMaxAge?.nanoseconds }
        name = spec.name
        kind = spec.kind
        secret = value.secret
        self.generation = generation
        received = now
        schedule = policy.schedule(
            issued: token?.issued, notBefore: token?.notBefore, expires: expires, remaining: remaining, received: now,
            jitter: jitter, isStaggered: isStaggered)
        guard !schedule.expiry.isReached(at: now) else {
            let ago = ReadableDuration(now.wall.minus(min(expires ?? now.wall, now.wall)))
            let clock = ClockSkew(value, token: token, at: now).map { ": \($0)" } ?? ""
            throw CredentialFailure(
                .expired,
                "the source returned a token that expired \(ago) ago by this host's clock\(clock); "
                    + "see that the source renews it and that the clock is right (timedatectl)")
        }
        guard schedule.start.remaining(at: now) < schedule.expiry.remaining(at: now) else {
            throw CredentialFailure(
                .malformed, "the source returned a token that begins (nbf) after it ends (exp); have the issuer mended")
        }
    }
}

/// How far this host's wall clock is from an issuer's, as far as an answer shows it.
struct ClockSkew: Sendable, Equatable, CustomStringConvertible {
    /// Nanoseconds; positive if this host is ahead.
    let offset: Int64
    /// The evidence: a `Date` field, exact to its second, or an `iat` in the future, which shows the least it can be.
    let evidence: Evidence

    enum Evidence: String, Sendable { case date = "Date", issuedAt = "iat" }

    /// Less than this is the network and the whole seconds of the issuer.
    static let tolerance = Duration.seconds(3).nanoseconds

    init?(_ value: SourceValue, token: JSONWebToken?, at now: HostTime) {
        if let issuer = value.issuerWall {
            offset = now.wall.minus(issuer)
            evidence = .date
        } else if let issued = token?.issued, issued > now.wall {
            offset = now.wall.minus(issued)
            evidence = .issuedAt
        } else {
            return nil
        }
        guard offset > Self.tolerance || offset < -Self.tolerance else { return nil }
    }

    var description: String {
        let size = ReadableDuration(Int64(clamping: offset.magnitude))
        return offset > 0
            ? "this host's clock is \(size) ahead of the issuer's (\(evidence.rawValue))"
            : "this host's clock is \(evidence == .issuedAt ? "at least " : "")\(size) behind the issuer's (\(evidence.rawValue))"
    }
}

/// A length of time in the largest unit that keeps it readable: `850 ms`, `12 s`, `45 min`, `3 h`, `12 d`.
struct ReadableDuration: Sendable, CustomStringConvertible {
    let nanoseconds: Int64

    init(_ nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    var description: String {
        let milliseconds = nanoseconds / 1_000_000
        let seconds = milliseconds / 1000
        return switch seconds {
        case ..<1: "\(milliseconds) ms"
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}
