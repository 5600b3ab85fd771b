// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What the `Connection` fields of a message say (RFC 9110 §7.6.1).
struct ConnectionOptions: Sendable, Equatable {
    var close = false
    var keepAlive = false
    var upgrade = false
    /// Known fields that the sender meant for this connection only.
    var named = FieldNameSet()
    /// Whether fields the agent does not know are named too; then `names(_:in:)` has to look.
    var namesOthers = false

    init() {}

    init(_ fields: FieldSection, in bytes: Span<UInt8>, limit: Int) throws(HTTPError) {
        guard fields.names.contains(.connection) else { return }
        var others = 0
        for line in fields.lines where line.name == .connection {
            var position = line.valueRange.lower
            while let element = bytes.nextListElement(&position, to: line.valueRange.upper) {
                if element.isEmpty { continue }
                let stop = bytes.end(of: .token, from: element.lower, to: element.upper)
                guard stop == element.upper else { throw HTTPError(.connection, at: stop, byte: bytes[stop]) }
                if let folded = CaseFolded(bytes, element), take(folded) { continue }
                others += 1
                guard others <= limit else { throw HTTPError(.connectionOptions, limit: limit) }
                namesOthers = true
            }
        }
    }

    private mutating func take(_ option: CaseFolded) -> Bool {
        if option == Self.closeOption {
            close = true
        } else if option == Self.keepAliveOption {
            keepAlive = true
        } else if option == Self.upgradeOption {
            upgrade = true
        } else if FieldName(option) != .other {
            named.insert(FieldName(option))
        } else {
            return false
        }
        return true
    }

    private static let closeOption = CaseFolded("close")
    private static let keepAliveOption = CaseFolded("keep-alive")
    private static let upgradeOption = CaseFolded("upgrade")

    /// Whether a field of an unknown name is named by a `Connection` field.
    static func names(_ name: ByteRange, in fields: FieldSection, _ bytes: Span<UInt8>) -> Bool {
        for line in fields.lines where line.name == .connection {
            var position = line.valueRange.lower
            while let element = bytes.nextListElement(&position, to: line.valueRange.upper) {
                if bytes.equalFolded(element, name) { return true }
            }
        }
        return false
    }
}

extension Span where Element == UInt8 {
    /// Whether two tokens are equal but for the case of their letters.
    fileprivate func equalFolded(_ left: ByteRange, _ right: ByteRange) -> Bool {
        guard left.count == right.count, !left.isEmpty else { return false }
        for index in 0..<left.count {
            let (one, two) = (self[left.lower + index], self[right.lower + index])
            if one == two { continue }
            guard one ^ two == 0x20, 0x61...0x7A ~= one | 0x20 else { return false }
        }
        return true
    }
}
