// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Field names to leave out of what is forwarded: the known ones as a set, others by their text.
///
/// A name is also met when the sender wrote `_` for `-`: many servers read both as the same variable, so
/// `X_Api_Key` beside an injected `x-api-key` could win (RFC 3875 §4.1.18).
struct FieldFilter: Sendable, Hashable {
    private(set) var known: FieldNameSet
    /// In lower case.
    private(set) var others: [[UInt8]] = []

    init(_ known: FieldNameSet = []) {
        self.known = known
    }

    /// - Parameter names: in any case; what is not a field name matches nothing.
    init(names: [String]) {
        known = []
        for name in names { insert(name) }
    }

    mutating func insert(_ name: String) {
        let bytes = name.utf8.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
        if let folded = CaseFolded(bytes.span, from: 0, to: bytes.count), FieldName(folded) != .other {
            known.insert(FieldName(folded))
        } else if !bytes.isEmpty, !others.contains(bytes) {
            others.append(bytes)
        }
    }

    /// Whether the text of an unknown name is in `others`.
    func matches(_ name: Span<UInt8>) -> Bool {
        for other in others where Self.equal(name, other.span) { return true }
        return false
    }

    private static func equal(_ name: Span<UInt8>, _ lowercased: Span<UInt8>) -> Bool {
        guard name.count == lowercased.count else { return false }
        for index in 0..<name.count {
            let (byte, wanted) = (name[index], lowercased[index])
            if byte == wanted || byte == UInt8(ascii: "_") && wanted == UInt8(ascii: "-") { continue }
            if 0x41...0x5A ~= byte, byte | 0x20 == wanted { continue }
            return false
        }
        return true
    }
}
