// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Credentials that come from the same source with the same inputs, and so are one: one flight, one value, one renewal.
///
/// They may differ in name and in the form in which they are written. A source's inputs are all of its spec: command or
/// address, fields, body, and with them audience and scope, so that tokens for two audiences are never taken for one
/// another.
struct CredentialGroup: Sendable, Equatable {
    /// What all of its members ask for: warm if one wants it warm, the shortest `maxAge`, the first name.
    private(set) var spec: CredentialSpec
    private(set) var members: [Member]

    struct Member: Sendable, Equatable {
        let name: String
        let kind: CredentialKind
    }

    private init(_ spec: CredentialSpec) {
        self.spec = spec
        members = [Member(name: spec.name, kind: spec.kind)]
    }

    /// In the order in which the first of each stands.
    static func groups(_ specs: [CredentialSpec]) -> [CredentialGroup] {
        var groups: [CredentialGroup] = []
        for spec in specs {
            if let place = groups.firstIndex(where: { $0.spec.source == spec.source }) {
                groups[place].add(spec)
            } else {
                groups.append(CredentialGroup(spec))
            }
        }
        return groups
    }

    private mutating func add(_ other: CredentialSpec) {
        members.append(Member(name: other.name, kind: other.kind))
        spec.prefetch = spec.prefetch || other.prefetch
        spec.isKept = spec.isKept || other.isKept
        if other.kind == .token { spec.kind = .token }
        if let maxAge = other.maxAge { spec.maxAge = min(spec.maxAge ?? maxAge, maxAge) }
    }
}

extension CredentialSpec {
    /// Whether a value judged by one spec needs no other judgement under the other.
    func judgesAs(_ other: CredentialSpec) -> Bool {
        source == other.source && kind == other.kind && maxAge == other.maxAge
    }
}
