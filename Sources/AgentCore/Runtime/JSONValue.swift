// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials

/// A JSON document of unknown shape: what an issuer answers, what a configuration file holds.
enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number without a fraction that fits 64 bits; `1.0` and `1e3` count.
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Reads a document, which may be as large and as deep as the caller is ready to bear.
    ///
    /// - Parameters:
    ///   - json5: comments, trailing commas, single quotes and bare keys too. FoundationEssentials lets a trailing comma
    ///     pass without it, and takes one of two equal keys in silence; `JSON5Outline` is the judge where that matters.
    ///   - maximumDepth: how many arrays and objects may stand inside one another.
    static func decode(
        _ bytes: Span<UInt8>, json5: Bool = false, maximumBytes: Int = 1 << 20, maximumDepth: Int = 32
    ) throws(JSONError) -> JSONValue {
        guard bytes.count <= maximumBytes else { throw .tooLarge(limit: maximumBytes) }
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = json5
        decoder.userInfo[Self.depthLimit] = maximumDepth
        do {
            return try decoder.decode(JSONValue.self, from: unsafe bytes.withUnsafeBytes { unsafe Data($0) })
        } catch let error as JSONError {
            throw error
        } catch {
            // Foundation's own error may quote the document, which may hold a token.
            throw .malformed
        }
    }

    /// The kind of value, with its article, for messages: `a string`.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    fileprivate static let depthLimit = unsafe CodingUserInfoKey(rawValue: "depth").unsafelyUnwrapped
}

/// Why a document could not be read. Never quotes it: it may hold a secret.
enum JSONError: Error, Equatable, CustomStringConvertible {
    case malformed
    case tooLarge(limit: Int)
    case tooDeep(limit: Int)

    var description: String {
        switch self {
        case .malformed: "not valid JSON"
        case .tooLarge(let limit): "JSON larger than \(limit) bytes"
        case .tooDeep(let limit): "JSON nested deeper than \(limit) levels"
        }
    }
}

extension JSONValue: Decodable {
    init(from decoder: any Decoder) throws {
        if let container = try? decoder.singleValueContainer(), let scalar = Self.scalar(in: container) {
            self = scalar
            return
        }
        let limit = decoder.userInfo[Self.depthLimit] as? Int ?? 32
        if let container = try? decoder.container(keyedBy: MemberName.self) {
            guard decoder.codingPath.count < limit else { throw JSONError.tooDeep(limit: limit) }
            let keys = container.allKeys
            var members = [String: JSONValue](minimumCapacity: keys.count)
            for key in keys { members[key.stringValue] = try container.decode(JSONValue.self, forKey: key) }
            self = .object(members)
        } else {
            var container = try decoder.unkeyedContainer()
            guard decoder.codingPath.count < limit else { throw JSONError.tooDeep(limit: limit) }
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
        }
    }

    private static func scalar(in container: any SingleValueDecodingContainer) -> JSONValue? {
        // Each attempt that fails throws a costly error, so the likely kinds come first.
        if let text = try? container.decode(String.self) { return .string(text) }
        if container.decodeNil() { return .null }
        if let bool = try? container.decode(Bool.self) { return .bool(bool) }
        if let integer = try? container.decode(Int64.self) { return .integer(integer) }
        if let number = try? container.decode(Double.self) { return .number(number) }
        return nil
    }

    private struct MemberName: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

// MARK: Reading

extension JSONValue {
    /// The member of an object; nil of anything else.
    subscript(member: String) -> JSONValue? {
        if case .object(let members) = self { members[member] } else { nil }
    }

    var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var integerValue: Int64? {
        if case .integer(let integer) = self { integer } else { nil }
    }

    var boolValue: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    var arrayValue: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    var objectValue: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// A number with or without a fraction.
    var doubleValue: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }
}
