// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Reads the keys of one object, and knows afterwards which keys nobody asked for.
final class ObjectReader {
    let node: ConfigurationNode
    let report: ConfigurationReport
    private let members: [String: ConfigurationNode.Member]
    private var known: Set<String> = []
    /// Whether keys may stand here whose meaning is not known: what would tell it is wrong itself.
    var toleratesUnknownKeys = false

    private init(
        _ node: ConfigurationNode, _ members: [String: ConfigurationNode.Member], _ report: ConfigurationReport
    ) {
        self.node = node
        self.members = members
        self.report = report
    }

    /// Reads an object by `body`, then reports the keys that `body` did not ask for.
    static func read<Value>(
        _ node: ConfigurationNode, _ report: ConfigurationReport, _ body: (ObjectReader) -> Value?
    ) -> Value? {
        guard case .object(let members) = node.content else {
            report.add(node, "is \(node.kind)", hint: "write an object: { … }")
            return nil
        }
        let reader = ObjectReader(node, members, report)
        let value = body(reader)
        reader.reportUnknownKeys()
        return value
    }

    /// The members in the order in which they are written.
    var all: [(key: String, member: ConfigurationNode.Member)] {
        known.formUnion(members.keys)
        return members.map { ($0, $1) }.sorted { left, right in
            let (first, second) = (left.member.key, right.member.key)
            let start = TextPlace(line: 0, column: 0)
            return (first.file, first.place ?? start, left.key) < (second.file, second.place ?? start, right.key)
        }
    }

    /// Lets a key pass that means nothing here.
    func ignore(_ key: String) { known.insert(key) }

    func has(_ key: String) -> Bool { members[key] != nil }

    /// The node itself, of a key that is read by hand.
    func node(_ key: String) -> ConfigurationNode? {
        known.insert(key)
        return members[key]?.value
    }

    /// nil if the key is absent or its value is wrong; the latter is reported.
    func optional<Value>(_ key: String, _ field: Field<Value>) -> Value? {
        node(key).flatMap { field.read($0, report) }
    }

    func value<Value>(_ key: String, _ field: Field<Value>, default value: Value) -> Value {
        optional(key, field) ?? value
    }

    func required<Value>(_ key: String, _ field: Field<Value>, hint: String) -> Value? {
        known.insert(key)
        guard members[key] != nil else {
            report.add(at: node.origin, node.path, "has no \(QuotedText.quote(key))", hint: hint)
            return nil
        }
        return optional(key, field)
    }

    /// Reports a key that must not stand here, if it does, in words of its own.
    func refuse(_ key: String, _ message: String, hint: String) {
        guard let member = members[key], known.insert(key).inserted else { return }
        report.add(at: member.key, member.value.path, message, hint: hint)
    }

    private func reportUnknownKeys() {
        if toleratesUnknownKeys { return }
        for (key, member) in members where !known.contains(key) {
            let nearest = Suggestion.nearest(to: key, among: known)
            let hint =
                nearest.map { "did you mean \(QuotedText.quote($0))?" }
                ?? "known here: \(known.sorted().joined(separator: ", "))"
            report.add(at: member.key, member.value.path, "is no known key", hint: hint)
        }
    }
}
