// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The ordered credentials of one injection; the first usable one wins. A pure decision over what is known now.
///
/// It keeps nothing between calls, and so returns to the identity by itself as soon as that works. What each link is,
/// and what the chain does about it:
///
/// | the link | within the caller's bound | past it |
/// | --- | --- | --- |
/// | `client`, brought by the caller | use | use |
/// | `client`, not brought | next link | next link |
/// | usable | use | use |
/// | usable, in its mandatory window, fetching or nobody has begun | wait | use |
/// | usable, in its mandatory window, backing off | use | use |
/// | refused by an upstream, being renewed | wait | as the row below |
/// | refused by an upstream | next link if the chain falls back when `rejected`, else use | the same |
/// | not usable, no failure yet | wait | as the row below |
/// | not usable, and a reload has ended its source | as the row below | the same |
/// | not usable, failing | next link if the chain falls back when `unavailable`, else the end | the same |
///
/// Each link that was passed over is demanded when another is used, so that it comes back even where nobody waits for it.
/// At the end of the chain: a refused value is used if there is one (the upstream's own answer is the truest error);
/// else, if a failing link is being fetched or will be within the caller's bound, wait; else fail, a reason for each link.
struct Chain: Sendable, Equatable {
    enum Link: Sendable, Equatable {
        /// The caller's own credential, passed on (BYOK).
        case client
        /// An index into the loop's array of snapshots.
        case credential(Int)
    }

    /// Which troubles of a link make the chain go on to the next.
    struct Fallback: OptionSet, Sendable, Equatable {
        let rawValue: UInt8
        /// Its value cannot be had.
        static let unavailable = Fallback(rawValue: 1)
        /// An upstream refused its value.
        static let rejected = Fallback(rawValue: 2)
    }

    var links: [Link]
    var fallback: Fallback = .unavailable

    enum Decision: Sendable, Equatable {
        /// Inject this link. `passed`: of the first so many links each other one was passed over, and is to be demanded, so
        /// that it comes back.
        case use(link: Int, why: Reason, passed: Int)
        /// Demand this link, wait for the next snapshot or the bound, and decide again.
        case wait(link: Int)
        /// Answer 503. `retryAt`: when the source is asked next, on the boot clock.
        case fail([LinkFailure], retryAt: Int64?)
    }

    /// Why a link is in use.
    enum Reason: String, Sendable {
        /// It is the first that applies.
        case preferred
        /// An earlier one cannot be had.
        case unavailable
        /// An earlier one was rejected by the upstream.
        case rejected
        /// It was rejected by the upstream, and there is nothing better.
        case lastResort = "last-resort"
    }

    struct LinkFailure: Sendable, Equatable {
        let link: Int
        /// `not brought by the caller` or the credential's own sentence.
        let message: String
        let code: String
    }

    /// - Parameters:
    ///   - snapshots: what the loop knows of all credentials.
    ///   - clientBrought: whether the caller brought a credential of its own.
    ///   - bound: until when the caller is made to wait, on the boot clock; the past: not at all.
    func decide(
        _ snapshots: Span<CredentialSnapshot>, clientBrought: Bool, at now: HostTime, bound: Int64
    ) -> Decision {
        let mayWait = now.boot < bound
        var why = Reason.preferred
        var refused: Int?
        var pending: Int?
        var passed = 0
        walk: for link in links.indices {
            passed = link + 1
            guard case .credential(let index) = links[link] else {
                if clientBrought { return .use(link: link, why: why, passed: link) }
                continue
            }
            guard snapshots.indices.contains(index) else { continue }
            if snapshots[index].isUsable(at: now) {
                if snapshots[index].isRejected(at: now) {
                    if mayWait, snapshots[index].phase == .fetching { return .wait(link: link) }
                    guard fallback.contains(.rejected) else {
                        return .use(link: link, why: .lastResort, passed: link)
                    }
                    refused = refused ?? link
                    if why == .preferred { why = .rejected }
                } else if mayWait, snapshots[index].isMandatory(at: now), snapshots[index].isAsking(at: now) {
                    return .wait(link: link)
                } else {
                    return .use(link: link, why: why, passed: link)
                }
            } else {
                if mayWait, snapshots[index].failure == nil, snapshots[index].answers(before: bound, at: now) {
                    return .wait(link: link)
                }
                if mayWait, pending == nil, snapshots[index].answers(before: bound, at: now) { pending = link }
                if why == .preferred { why = .unavailable }
                guard fallback.contains(.unavailable) else { break walk }
            }
        }
        if let refused { return .use(link: refused, why: .lastResort, passed: passed) }
        if let pending { return .wait(link: pending) }
        return failure(snapshots, at: now)
    }

    /// The long way, which a request takes only to its 503.
    private func failure(_ snapshots: Span<CredentialSnapshot>, at now: HostTime) -> Decision {
        var reasons: [LinkFailure] = []
        var retryAt: Int64?
        for link in links.indices {
            guard case .credential(let index) = links[link] else {
                reasons.append(
                    LinkFailure(link: link, message: "the caller brought no credential", code: "not-brought"))
                continue
            }
            guard snapshots.indices.contains(index) else { continue }
            let failure = snapshots[index].failure
            let isRetired = snapshots[index].isRetired
            let pending =
                isRetired
                ? "a reload changed its source while the call waited for it; send the request again"
                : "the source has not answered yet"
            reasons.append(
                LinkFailure(
                    link: link, message: "\(snapshots[index].name): \(failure?.message ?? pending)",
                    code: failure?.code ?? "pending"))
            if isRetired { retryAt = min(retryAt ?? .max, now.boot) }
            if case .backingOff(let until) = snapshots[index].phase { retryAt = min(retryAt ?? .max, until) }
        }
        return .fail(reasons, retryAt: retryAt)
    }
}

extension CredentialSnapshot {
    /// Whether an answer is on its way, or would be if a caller demanded it.
    fileprivate func isAsking(at now: HostTime) -> Bool {
        if isRetired { return false }
        if case .backingOff(let until) = phase { return until <= now.boot }
        return true
    }

    /// Whether the source is being asked or will be before `bound`.
    fileprivate func answers(before bound: Int64, at now: HostTime) -> Bool {
        if isRetired { return false }
        if case .backingOff(let until) = phase { return until < bound }
        return true
    }
}

/// Which link of a chain is in use, remembered so that a change is told once.
struct ChainWatch: Sendable, Equatable {
    private(set) var link: Int?
    private(set) var why: Chain.Reason?

    /// - Returns: true if the log should say so.
    mutating func record(link: Int?, why: Chain.Reason?) -> Bool {
        guard self.link != link || self.why != why else { return false }
        self.link = link
        self.why = why
        return true
    }
}
