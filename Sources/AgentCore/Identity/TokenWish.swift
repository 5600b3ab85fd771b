// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One caller's wish for a token with so much life left, decided on what is known now. Pure.
///
/// | the value held | the source | |
/// | --- | --- | --- |
/// | lives long enough | | serve |
/// | lives long enough, in its mandatory window or refused by an upstream | being asked | wait, serve if nothing comes |
/// | too short, and was so when it came | not being asked | refuse: another would be too |
/// | too short, or none | being asked, or may be asked before the bound | wait |
/// | too short, or none | backs off beyond the bound | refuse |
/// | too short, or none | has answered since the wish | refuse: one question is all that a wish causes |
struct TokenWish: Sendable {
    enum Decision: Sendable, Equatable {
        case serve
        /// Until the next snapshot or the bound. `demands`: the engine is to be told of the wish.
        case wait(demands: Bool)
        /// Answer 503. `retryAt`: when the source is asked next, on the boot clock.
        case refuse(code: String, message: String, retryAt: Int64?)
    }

    /// Nanoseconds.
    let life: Int64
    /// Until when the caller is made to wait, on the boot clock.
    let bound: Int64
    /// The fetch that counts as the answer to this wish, by its number among those of `lineage`.
    private var awaited: UInt64?
    private var lineage: UInt64?

    init(life: Int64, bound: Int64) {
        self.life = life
        self.bound = bound
    }

    mutating func decide(_ snapshot: CredentialSnapshot, at now: HostTime) -> Decision {
        let isFetching = snapshot.phase == .fetching
        // A reload that changed the source has begun to count anew: then so does the wish.
        if lineage != snapshot.lineage { awaited = nil }
        lineage = snapshot.lineage
        let isAnswered = awaited.map { snapshot.fetches > $0 || (snapshot.fetches == $0 && !isFetching) } ?? false
        let mayWait = now.boot < bound && !isAnswered
        if snapshot.isUsable(for: life, at: now) {
            let isBetterComing =
                isFetching && (snapshot.isMandatory(at: now) || snapshot.isRejected(at: now))
            return mayWait && isBetterComing ? wait(snapshot) : .serve
        }
        guard mayWait else { return refusal(snapshot, at: now) }
        if !isFetching {
            if let credential = snapshot.credential, snapshot.isUsable(at: now), !credential.canLast(life) {
                return refusal(snapshot, at: now)
            }
            if case .backingOff(let until) = snapshot.phase, until >= bound { return refusal(snapshot, at: now) }
        }
        return wait(snapshot)
    }

    private mutating func wait(_ snapshot: CredentialSnapshot) -> Decision {
        guard awaited == nil else { return .wait(demands: false) }
        awaited = snapshot.phase == .fetching ? snapshot.fetches : snapshot.fetches &+ 1
        return .wait(demands: true)
    }

    private func refusal(_ snapshot: CredentialSnapshot, at now: HostTime) -> Decision {
        var retryAt: Int64?
        if case .backingOff(let until) = snapshot.phase, until > now.boot { retryAt = until }
        let name = snapshot.name
        guard let credential = snapshot.credential, snapshot.isUsable(at: now) else {
            let reason = snapshot.failure?.message ?? "its source has not answered yet; ask again"
            return .refuse(code: "no-credential", message: "\(name): \(reason)", retryAt: retryAt)
        }
        let asked = ReadableDuration(life)
        let left = ReadableDuration(credential.expires.remaining(at: now))
        guard credential.canLast(life) else {
            let given = ReadableDuration(credential.schedule.life ?? 0)
            return .refuse(
                code: "short-life",
                message: "\(asked) of life were asked for, and the source of \(name) gives tokens with \(given); "
                    + "ask for less, or have the issuer give longer ones",
                retryAt: nil)
        }
        let reason =
            snapshot.failure.map { "its renewal fails: \($0.message)" }
            ?? retryAt.map { "it is renewed in \(ReadableDuration($0.minus(now.boot))); ask again then, or for less" }
            ?? "its source has given no longer one; ask for less"
        return .refuse(
            code: "short-life",
            message: "\(asked) of life were asked for, and \(name) has \(left) left; \(reason)", retryAt: retryAt)
    }
}
