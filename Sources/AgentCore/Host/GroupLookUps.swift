// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Questions to the user database for the groups of callers, for all loops. A directory server may not answer for as long as
/// it likes, and nothing ends a call of NSS.
struct GroupLookUps: Sendable {
    typealias Outcome = Result<Set<UInt32>, SystemError>

    /// Questions under way at once.
    static let limit = 4
    /// Asks the user database of this host.
    static let ofThisHost = GroupLookUps { uid throws(SystemError) in Set(try UserDatabase.groups(of: uid)) }

    /// Nanoseconds that a caller waits for an answer.
    let patience: Int64
    private let lookUps: JoinedLookUps<UInt32, Outcome>

    /// - Parameter ask: blocks until it knows.
    init(
        patience: Duration = .seconds(5), _ ask: @escaping @Sendable (UInt32) throws(SystemError) -> Set<UInt32>
    ) {
        self.patience = patience.nanoseconds
        lookUps = JoinedLookUps(limit: Self.limit) { uid in
            Result { () throws(SystemError) in try ask(uid) }
        }
    }

    /// Finds the groups of a user; one who is not known has none. Returns at once.
    ///
    /// - Parameter tell: called on another thread.
    func find(_ uid: UInt32, _ tell: @escaping @Sendable (Outcome) -> Void) {
        lookUps.find(uid, tell)
    }
}
