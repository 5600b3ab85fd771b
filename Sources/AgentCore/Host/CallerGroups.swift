// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What one loop knows of its callers' groups: those that the user database gave them a moment ago.
///
/// That they could not be found out is never taken for having none: who asks is told so, and soon somebody asks again.
final class CallerGroups: @unchecked Sendable {
    // @unchecked: everything but `lookUps` and `loop` is touched on the loop's thread alone; look-ups come back by a post.
    private let loop: EventLoop
    private let lookUps: GroupLookUps
    private var known: [UInt32: (groups: Set<UInt32>, end: Int64)] = [:]
    private var failures: [UInt32: (why: String, end: Int64)] = [:]
    /// Who waits for the answer about a uid.
    private var waiting: [UInt32: [Parker]] = [:]

    /// Nanoseconds that an answer is remembered.
    private static let memory: Int64 = 60_000_000_000
    /// Nanoseconds that a failure is remembered: callers who come at once do not ask one after the other.
    private static let failureMemory: Int64 = 1_000_000_000
    /// Users remembered at once, of each kind.
    private static let limit = 1024

    init(on loop: EventLoop, _ lookUps: GroupLookUps) {
        self.loop = loop
        self.lookUps = lookUps
    }

    /// The groups of a uid, if they were looked up a moment ago.
    func known(of uid: UInt32) -> Set<UInt32>? {
        guard let known = known[uid], loop.now < known.end else { return nil }
        return known.groups
    }

    /// Why the groups are not known.
    enum Failure: Error {
        /// For people, in one clause.
        case unknown(String)
        /// `isWanted` has become false.
        case abandoned
    }

    /// Finds the groups of a uid, off the loop and within `GroupLookUps.patience`; a user who is not known has none.
    ///
    /// - Parameters:
    ///   - parker: of the caller's task, which waits with it.
    ///   - isWanted: asked at each wake.
    func find(_ uid: UInt32, waking parker: Parker, while isWanted: () -> Bool) async throws(Failure) -> Set<UInt32> {
        let deadline = loop.now + lookUps.patience
        while true {
            if let groups = known(of: uid) { return groups }
            if let failure = failures[uid], loop.now < failure.end { throw .unknown(failure.why) }
            guard isWanted() else { throw .abandoned }
            guard loop.now < deadline else {
                let why = "the user database did not answer within \(milliseconds(lookUps.patience))"
                fail(uid, why)
                throw .unknown(why)
            }
            await wait(for: uid, parker, until: deadline)
        }
    }

    private func wait(for uid: UInt32, _ parker: Parker, until deadline: Int64) async {
        let isAsked = waiting[uid] != nil
        waiting[uid, default: []].append(parker)
        if !isAsked {
            let loop = loop
            lookUps.find(uid) { outcome in loop.post { self.take(outcome, of: uid) } }
        }
        _ = await parker.park(until: deadline)
        // The entry stays until the answer comes: nobody asks twice.
        waiting[uid]?.removeAll { $0 === parker }
    }

    private func take(_ outcome: GroupLookUps.Outcome, of uid: UInt32) {
        switch outcome {
        case .success(let groups):
            if known.count >= Self.limit { known.removeAll() }
            known[uid] = (groups, loop.now + Self.memory)
            failures[uid] = nil
        case .failure(let error):
            fail(uid, "the user database failed: \(error)")
        }
        for parker in waiting.removeValue(forKey: uid) ?? [] { parker.unpark() }
    }

    private func fail(_ uid: UInt32, _ why: String) {
        if failures.count >= Self.limit { failures.removeAll() }
        failures[uid] = (why, loop.now + Self.failureMemory)
    }

    private func milliseconds(_ nanoseconds: Int64) -> String {
        nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000) s" : "\(nanoseconds / 1_000_000) ms"
    }
}
