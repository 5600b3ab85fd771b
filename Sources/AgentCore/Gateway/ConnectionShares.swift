// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// How many connections each user holds, so that none takes them all and keeps the others out.
struct ConnectionShares: Sendable {
    /// The most for one user: a quarter of all, and 16 at least.
    let share: Int
    /// Those who could not be established count as one.
    private var held: [UInt32?: Int] = [:]

    /// - Parameter limit: connections in all.
    init(limit: Int) {
        share = max(16, limit / 4)
    }

    /// - Parameter isExempt: root, and the agent's own user.
    /// - Returns: false if the user holds a share already; nothing is to be given back then.
    mutating func take(_ uid: UInt32?, isExempt: Bool) -> Bool {
        let count = held[uid, default: 0]
        guard isExempt || count < share else { return false }
        held[uid] = count + 1
        return true
    }

    mutating func giveBack(_ uid: UInt32?) {
        let count = held[uid, default: 0]
        held[uid] = count > 1 ? count - 1 : nil
    }
}

/// Those of all loops together; asked twice a connection.
final class SharedConnectionShares: Sendable {
    private let shares: Mutex<ConnectionShares>

    init(limit: Int) {
        shares = Mutex(ConnectionShares(limit: limit))
    }

    func take(_ uid: UInt32?, isExempt: Bool) -> Bool { shares.withLock { $0.take(uid, isExempt: isExempt) } }

    func giveBack(_ uid: UInt32?) { shares.withLock { $0.giveBack(uid) } }
}
