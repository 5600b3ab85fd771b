// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The address of one value in a JSON document (RFC 6901): `/tokens/0/value`; the empty pointer is the document itself.
struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// The steps, with `~0` and `~1` already read as `~` and `/`.
    let tokens: [String]

    init(tokens: [String]) {
        self.tokens = tokens
    }

    init(_ text: String) throws(JSONPointerError) {
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { throw .noSlash(text) }
        var tokens: [String] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            tokens.append(try Self.unescape(part, of: text))
        }
        self.tokens = tokens
    }

    /// As it is written in a configuration file.
    var description: String {
        tokens.reduce(into: "") { text, token in
            text += "/"
            for character in token.unicodeScalars {
                switch character {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(character)
                }
            }
        }
    }

    private static func unescape(_ part: Substring.UTF8View, of text: String) throws(JSONPointerError) -> String {
        var bytes: [UInt8] = []
        var escaped = false
        for byte in part {
            switch (escaped, byte) {
            case (true, UInt8(ascii: "0")): bytes.append(UInt8(ascii: "~"))
            case (true, UInt8(ascii: "1")): bytes.append(UInt8(ascii: "/"))
            case (true, _): throw .badEscape(text)
            case (false, UInt8(ascii: "~")):
                escaped = true
                continue
            case (false, _): bytes.append(byte)
            }
            escaped = false
        }
        if escaped { throw .badEscape(text) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Why a text is no JSON pointer, with the repair.
enum JSONPointerError: Error, Equatable, CustomStringConvertible {
    case noSlash(String)
    case badEscape(String)

    var description: String {
        switch self {
        case .noSlash(let text): "\"\(text)\" is no JSON pointer; write \"/\(text)\""
        case .badEscape(let text): "\"\(text)\" is no JSON pointer; write \"~\" as \"~0\" and \"/\" in a key as \"~1\""
        }
    }
}

extension JSONValue {
    /// The value a pointer leads to; nil when a step finds nothing.
    subscript(pointer: JSONPointer) -> JSONValue? {
        var value = self
        for token in pointer.tokens {
            switch value {
            case .object(let members):
                guard let member = members[token] else { return nil }
                value = member
            case .array(let elements):
                guard let index = Self.index(token), index < elements.count else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// RFC 6901 §4: digits without a leading zero. `-`, the place behind the last element, holds no value to read.
    private static func index(_ token: String) -> Int? {
        let digits = token.utf8
        guard !digits.isEmpty, digits.count <= 9, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return Int(token)
    }
}
