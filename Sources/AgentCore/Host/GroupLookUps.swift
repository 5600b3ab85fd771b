// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// Questions to the user database for the groups of callers, for all loops: one at a time about each uid, which whoever
/// asks meanwhile joins, and a few at a time in all.
///
/// A directory server may not answer for as long as it likes, and nothing ends a call of NSS. Those that hang keep their
/// few threads, never those that name resolution, file reads and commands need.
final class GroupLookUps: Sendable {
    typealias Outcome = Result<Set<UInt32>, SystemError>

    /// Questions under way at once. The others wait for one of them to end.
    static let limit = 4
    /// Asks the user database of this host.
    static let ofThisHost = GroupLookUps { uid throws(SystemError) in Set(try UserDatabase.groups(of: uid)) }

    /// Nanoseconds that a caller waits for an answer.
    let patience: Int64
    private let ask: @Sendable (UInt32) throws(SystemError) -> Set<UInt32>

    private struct State {
        /// Who is to be told, by uid; also while a question waits for its turn.
        var askers: [UInt32: [@Sendable (Outcome) -> Void]] = [:]
        var queue: [UInt32] = []
        var running = 0
    }

    private let state = Mutex(State())

    /// - Parameter ask: blocks until it knows.
    init(
        patience: Duration = .seconds(5), _ ask: @escaping @Sendable (UInt32) throws(SystemError) -> Set<UInt32>
    ) {
        self.patience = patience.nanoseconds
        self.ask = ask
    }

    /// Finds the groups of a user; one who is not known has none. Returns at once.
    ///
    /// - Parameter tell: called on another thread.
    func find(_ uid: UInt32, _ tell: @escaping @Sendable (Outcome) -> Void) {
        let isNext = state.withLock { state in
            state.askers[uid, default: []].append(tell)
            guard state.askers[uid]?.count == 1 else { return false }
            guard state.running < Self.limit else {
                state.queue.append(uid)
                return false
            }
            state.running += 1
            return true
        }
        if isNext { BlockingThreads.shared.run { self.work(uid) } }
    }

    /// Asks about `uid`, and then about whoever waits.
    private func work(_ uid: UInt32) {
        var uid = uid
        while true {
            let outcome: Outcome
            do throws(SystemError) { outcome = .success(try ask(uid)) } catch { outcome = .failure(error) }
            let (askers, next) = state.withLock { state in
                let askers = state.askers.removeValue(forKey: uid) ?? []
                if state.queue.isEmpty {
                    state.running -= 1
                    return (askers, UInt32?.none)
                }
                return (askers, state.queue.removeFirst())
            }
            for tell in askers { tell(outcome) }
            guard let next else { return }
            uid = next
        }
    }
}
