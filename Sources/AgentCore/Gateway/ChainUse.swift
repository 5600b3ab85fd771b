// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// News of a route: its calls go out with another credential than before, or with none. Told once a change.
struct ChainUse: Sendable, Equatable {
    /// The route's prefix, and which of its injections.
    let route: String
    let injection: Int
    /// The credentials of the chain, in order.
    let names: [String]
    /// Which is in use; nil if none was usable.
    let link: Int?
    let why: Chain.Reason?
    /// What is wrong with the first of the chain, if anything.
    let cause: String?

    var name: String? { link.flatMap { names.indices.contains($0) ? names[$0] : nil } }

    /// Whether an operator should look.
    var isWarning: Bool { why != .preferred }

    /// A sentence for the log.
    var message: String {
        guard let name, let why else { return "calls get 503, since no credential of the chain can be used" }
        return switch why {
        case .preferred: "calls use \(name), the first of the chain"
        case .unavailable: "calls fall back to \(name), since what stands before it cannot be had"
        case .rejected: "calls fall back to \(name), since the upstream rejected what stands before it"
        case .lastResort: "calls still use \(name), which the upstream rejected, since there is nothing better"
        }
    }
}

/// What the calls of every route last went out with. The loops tell what each has seen; this tells it apart from what is
/// known already. Confined to the control loop.
struct ChainBoard {
    private struct Key: Hashable {
        let route: String
        let injection: Int
    }

    private var watches: [Key: ChainWatch] = [:]

    /// - Returns: true if the log should say so.
    mutating func record(_ use: ChainUse) -> Bool {
        watches[Key(route: use.route, injection: use.injection), default: ChainWatch()]
            .record(link: use.link, why: use.why)
    }
}

/// Which link the next call of a route would go out with, as far as it is known now.
enum ChainStanding: Sendable, Equatable {
    case use(link: Int, why: Chain.Reason)
    /// The next call asks for it and waits: nothing is held, and nothing is known to be wrong.
    case asks(link: Int)
    /// The next call is refused.
    case none
}

extension Route.Injection {
    /// - Parameters:
    ///   - snapshots: in the order of the plan's credentials.
    ///   - wait: how long a caller of the route waits, nanoseconds.
    func standing(_ snapshots: borrowing [CredentialSnapshot], wait: Int64, at now: HostTime) -> ChainStanding {
        // A link that nobody has asked for yet is not unavailable: calls would wait for it, not fall back.
        if case .wait(let link) = chain.decide(
            snapshots.span, clientBrought: false, at: now, bound: now.boot.plus(wait)),
            case .credential(let place) = chain.links[link], !snapshots[place].isUsable(at: now)
        {
            return .asks(link: link)
        }
        switch chain.decide(snapshots.span, clientBrought: false, at: now, bound: now.boot) {
        case .use(let link, let why, _): return .use(link: link, why: why)
        case .wait, .fail: return .none
        }
    }
}
