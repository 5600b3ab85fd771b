// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// When a token is renewed, from its own life. Pure and total: no clock inside, an answer for every input.
///
/// The windows scale with the life that remained when the token was received, so that a token which arrives aged from
/// somebody's cache is treated as the short one that it is. With a fresh token for every renewal that is at most 1.5
/// mints a life. Jitter only shortens the advisory window: it never makes a renewal earlier than two thirds.
///
/// One token is the exception: that which many hosts may have received in the same minute, after a common start or a
/// common outage. Its renewal is drawn from a quarter of its life on, or all of them would come back together for ever.
///
/// | life | advisory window opens, before the end | mandatory, before the end | floor between mints |
/// | --- | --- | --- | --- |
/// | 5 s | 1.25–1.67 s | 500 ms | 1 s |
/// | 60 s | 15–20 s | 6 s | 3 s |
/// | 5 min | 75–100 s | 30 s | 15 s |
/// | 1 h | 15–20 min | 60 s | 3 min |
/// | 12 h | 22.5–30 min | 60 s | 36 min |
/// | 30 days | 22.5–30 min | 60 s | 36 h |
struct RenewalPolicy: Sendable, Equatable {
    /// The advisory window never opens earlier before the end than this.
    var longestLead: Duration = .seconds(30 * 60)
    /// The mandatory window is never longer than this.
    var longestMandatory: Duration = .seconds(60)
    /// The share of the advisory window that jitter may cut off its beginning.
    var spread = 0.25
    /// The share of its life after which a staggered token may be renewed.
    var earliestStaggered = 0.25

    /// - Parameters:
    ///   - issued: `iat` on the wall clock, if the token tells it. Bounds the life of a token that seems to live longer
    ///     than it was made for, because this host's wall clock is behind.
    ///   - notBefore: `nbf` on the wall clock.
    ///   - expires: the end on the wall clock.
    ///   - remaining: the end as a length from receipt: `expires_in`, or `maxAge`.
    ///   - received: when the answer came.
    ///   - jitter: 0 up to 1, drawn once for this token.
    ///   - isStaggered: whether other hosts may have received theirs at this moment too.
    func schedule(
        issued: Int64?, notBefore: Int64?, expires: Int64?, remaining: Int64?, received: HostTime, jitter: Double,
        isStaggered: Bool = false
    ) -> RenewalSchedule {
        var life = Int64.max
        if let expires {
            life = expires.minus(received.wall)
            if let issued, issued < expires { life = min(life, expires.minus(issued)) }
        }
        if let remaining { life = min(life, remaining) }
        guard life < .max else {
            return RenewalSchedule(
                start: Self.start(notBefore, issued, received), advisory: .never, mandatory: .never, expiry: .never,
                life: nil, floor: Duration.seconds(1).nanoseconds)
        }
        life = max(0, life)
        // A length from receipt knows nothing of the wall clock, and a step of it must not end such a token.
        let expiry = HostTime(wall: expires ?? .max, boot: received.boot.plus(life))
        let mandatory = min(longestMandatory.nanoseconds, life / 10)
        let widest = min(longestLead.nanoseconds, life / 3)
        let jitter = min(max(jitter, 0), 1)
        var lead = widest.minus(widest.scaled(by: jitter * min(max(spread, 0), 1)))
        if isStaggered {
            let narrowest = widest.minus(widest.scaled(by: min(max(spread, 0), 1)))
            let longest = max(narrowest, life.minus(life.scaled(by: min(max(earliestStaggered, 0), 1))))
            lead = longest.minus(longest.minus(narrowest).scaled(by: jitter))
        }
        return RenewalSchedule(
            start: Self.start(notBefore, issued, received),
            advisory: expiry.moved(by: -max(mandatory, lead)),
            mandatory: expiry.moved(by: -mandatory),
            expiry: expiry,
            life: life,
            floor: max(Duration.seconds(1).nanoseconds, life / 20))
    }

    /// When a token with `nbf` begins. Nobody issues a token in the future, so an `iat` ahead of this host's clock says
    /// by how much the clock is behind, and as much of `nbf` is no reason to wait.
    private static func start(_ notBefore: Int64?, _ issued: Int64?, _ received: HostTime) -> HostTime {
        guard let notBefore else { return received }
        let delay = notBefore.minus(max(received.wall, issued ?? received.wall))
        return delay > 0 ? HostTime(wall: notBefore, boot: received.boot.plus(delay)) : received
    }
}

/// The moments in the life of one token, as deadlines on both clocks.
struct RenewalSchedule: Sendable, Equatable {
    /// From here on it may be sent.
    let start: HostTime
    /// From here on it is renewed in the background.
    let advisory: HostTime
    /// From here on callers wait for the renewal.
    let mandatory: HostTime
    /// From here on it is never sent.
    let expiry: HostTime
    /// Nanoseconds of life that remained at receipt; nil if it has no end.
    let life: Int64?
    /// Nanoseconds from one mint to the next, at least.
    let floor: Int64
}
