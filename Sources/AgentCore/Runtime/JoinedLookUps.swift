// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Questions that block for as long as whoever is asked likes, and that nothing ends: one at a time about each key, which
/// whoever asks meanwhile joins, and a few at a time in all.
///
/// Those that hang keep their few threads, never those that file reads and commands need.
final class JoinedLookUps<Key: Hashable & Sendable, Outcome: Sendable>: Sendable {
    private let limit: Int
    private let ask: @Sendable (Key) -> Outcome

    private struct State {
        /// Who is to be told, by key; also while a question waits for its turn.
        var askers: [Key: [@Sendable (Outcome) -> Void]] = [:]
        var queue: [Key] = []
        var running = 0
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: questions under way at once. The others wait for one of them to end.
    ///   - ask: blocks until it knows.
    init(limit: Int, _ ask: @escaping @Sendable (Key) -> Outcome) {
        self.limit = limit
        self.ask = ask
    }

    /// Returns at once.
    ///
    /// - Parameter tell: called on another thread.
    func find(_ key: Key, _ tell: @escaping @Sendable (Outcome) -> Void) {
        let isNext = state.withLock { state in
            state.askers[key, default: []].append(tell)
            guard state.askers[key]?.count == 1 else { return false }
            guard state.running < limit else {
                state.queue.append(key)
                return false
            }
            state.running += 1
            return true
        }
        if isNext { BlockingThreads.shared.run { self.work(key) } }
    }

    /// Asks about `key`, and then about whoever waits.
    private func work(_ key: Key) {
        var key = key
        while true {
            let outcome = ask(key)
            let (askers, next) = state.withLock { state in
                let askers = state.askers.removeValue(forKey: key) ?? []
                if state.queue.isEmpty {
                    state.running -= 1
                    return (askers, Key?.none)
                }
                return (askers, state.queue.removeFirst())
            }
            for tell in askers { tell(outcome) }
            guard let next else { return }
            key = next
        }
    }
}
