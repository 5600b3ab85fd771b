// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Who may call: root, the agent's own user, and those who are listed. An empty list allows nobody else.
///
/// Decided from the peer's uid alone, so that the Unix socket and the TCP port answer alike; groups are those that the
/// user database gives the uid. A class, so that a call hands on one reference and not three.
final class AccessPolicy: Sendable, Equatable {
    private let agentUID: UInt32
    private let users: Set<UInt32>
    private let groups: Set<UInt32>
    /// The rule as it was configured, for the answer to who is refused.
    let rule: String

    enum Decision: Equatable {
        case permitted
        case refused
        /// The uid's groups decide, and have to be looked up first.
        case needsGroups
    }

    /// Looks names up in the user database: it blocks. A name that does not exist allows nobody, and is told of.
    ///
    /// - Parameter key: of the configuration, where the list stands: `routes["/vercel/"].allow`.
    init(_ spec: AllowSpec, at key: String = "allow", agentUID: UInt32, warnings: inout [String]) {
        self.agentUID = agentUID
        var users: Set<UInt32> = []
        var groups: Set<UInt32> = []
        for user in spec.users {
            switch user {
            case .id(let uid): users.insert(uid)
            case .name(let name): AccessPolicy.find(name, "user", key, UserDatabase.uid(named:), &users, &warnings)
            }
        }
        for group in spec.groups {
            switch group {
            case .id(let gid): groups.insert(gid)
            case .name(let name): AccessPolicy.find(name, "group", key, UserDatabase.gid(named:), &groups, &warnings)
            }
        }
        self.users = users
        self.groups = groups
        let names = spec.users.map { "user \($0.text)" }.sorted() + spec.groups.map { "group \($0.text)" }.sorted()
        rule = names.isEmpty ? "nobody but root and the agent's own user" : names.joined(separator: ", ")
    }

    static func == (one: AccessPolicy, other: AccessPolicy) -> Bool {
        one.agentUID == other.agentUID && one.users == other.users && one.groups == other.groups
            && one.rule == other.rule
    }

    private static func find(
        _ name: String, _ kind: String, _ key: String, _ lookUp: (String) throws(SystemError) -> UInt32?,
        _ found: inout Set<UInt32>, _ warnings: inout [String]
    ) {
        do throws(SystemError) {
            if let number = try lookUp(name) {
                found.insert(number)
            } else {
                warnings.append(
                    "\(key).\(kind)s names \"\(name)\", and there is no such \(kind) on this host, so it lets nobody in; "
                        + "add the \(kind) or correct the name")
            }
        } catch {
            warnings.append(
                "\(key).\(kind)s names \"\(name)\", which cannot be looked up (\(error)), so it lets nobody in"
            )
        }
    }

    /// - Parameter memberships: the uid's groups; nil if they have not been looked up.
    func decide(uid: UInt32, memberships: Set<UInt32>?) -> Decision {
        if isOwn(uid) || users.contains(uid) { return .permitted }
        if groups.isEmpty { return .refused }
        guard let memberships else { return .needsGroups }
        return groups.isDisjoint(with: memberships) ? .refused : .permitted
    }

    /// Root, or the agent's own user.
    func isOwn(_ uid: UInt32?) -> Bool { uid == 0 || uid == agentUID }

    /// Whether any of the policies lets a caller in: one that none does is a stranger, who is not waited for.
    ///
    /// - Parameter uid: nil for a caller who could not be established.
    static func standing(
        of uid: UInt32?, memberships: Set<UInt32>?, under policies: some Sequence<AccessPolicy>
    ) -> Decision {
        guard let uid else { return .refused }
        var standing = Decision.refused
        for policy in policies {
            switch policy.decide(uid: uid, memberships: memberships) {
            case .permitted: return .permitted
            case .needsGroups: standing = .needsGroups
            case .refused: break
            }
        }
        return standing
    }
}

extension AllowSpec.Name {
    var text: String {
        switch self {
        case .name(let name): name
        case .id(let number): String(number)
        }
    }
}
