// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// As much of JSON Schema (draft 2020-12) as the shipped schema is written in. Any other word of it is an error, so that
/// nothing in the schema goes unchecked.
struct JSONSchema {
    struct UnknownKeyword: Error {
        let keyword: String
    }

    let root: JSONValue
    /// Patterns are compiled once.
    private let patterns = Patterns()

    private final class Patterns {
        var compiled: [String: Regex<AnyRegexOutput>] = [:]
    }

    init(root: JSONValue) {
        self.root = root
    }

    /// What does not fit, as sentences; empty for a valid document.
    func problems(of value: JSONValue) throws -> [String] { try problems(value, root, "") }

    private func problems(_ value: JSONValue, _ schema: JSONValue, _ path: String) throws -> [String] {
        if schema.boolValue == false { return ["\(path) must not be there"] }
        return try (schema.objectValue ?? [:]).sorted { $0.key < $1.key }.flatMap { keyword, operand in
            try check(value, keyword, operand, of: schema, path)
        }
    }

    private func check(
        _ value: JSONValue, _ keyword: String, _ operand: JSONValue, of schema: JSONValue, _ path: String
    ) throws -> [String] {
        func fits(_ schema: JSONValue) throws -> Bool { try problems(value, schema, path).isEmpty }
        func unless(_ holds: Bool) -> [String] { holds ? [] : ["\(path) does not fit \(keyword): \(operand)"] }
        let options = operand.arrayValue ?? []
        switch keyword {
        case "$schema", "$id", "$defs", "title", "description": return []
        case "$ref": return try problems(value, definition(operand), path)
        case "type": return unless(Self.names(of: value).contains(operand.stringValue ?? ""))
        case "const": return unless(value == operand)
        case "enum": return unless(options.contains(value))
        case "not": return unless(try !fits(operand))
        case "anyOf": return unless(try options.contains(where: fits))
        case "oneOf": return unless(try options.filter(fits).count == 1)
        case "pattern", "maxLength":
            guard let text = value.stringValue else { return [] }
            if let length = operand.integerValue { return unless(text.unicodeScalars.count <= length) }
            return unless(try pattern(operand.stringValue ?? "").firstMatch(in: text) != nil)
        case "minimum", "maximum":
            guard let number = value.doubleValue, let bound = operand.doubleValue else { return [] }
            return unless(keyword == "minimum" ? number >= bound : number <= bound)
        case "items", "minItems":
            guard let elements = value.arrayValue else { return [] }
            if let count = operand.integerValue { return unless(elements.count >= count) }
            return try elements.enumerated().flatMap { try problems($1, operand, "\(path)[\($0)]") }
        default: return try check(members: value.objectValue, keyword, operand, of: schema, path)
        }
    }

    private func check(
        members: [String: JSONValue]?, _ keyword: String, _ operand: JSONValue, of schema: JSONValue, _ path: String
    ) throws -> [String] {
        let stated = schema["properties"]?.objectValue ?? [:]
        func demand(_ keys: JSONValue?, in members: [String: JSONValue]) -> [String] {
            let missing = (keys?.arrayValue ?? []).compactMap(\.stringValue).filter { members[$0] == nil }
            return missing.map { "\(path) has no \($0)" }
        }
        switch keyword {
        case "properties":
            return try (members ?? [:]).flatMap { key, value in
                try stated[key].map { try problems(value, $0, "\(path)/\(key)") } ?? []
            }
        case "additionalProperties":
            return try (members ?? [:]).filter { stated[$0.key] == nil }.flatMap { key, value in
                try problems(value, operand, "\(path)/\(key)")
            }
        case "propertyNames":
            return try (members ?? [:]).keys.flatMap { try problems(.string($0), operand, "the key \(path)/\($0)") }
        case "required": return members.map { demand(operand, in: $0) } ?? []
        case "dependentRequired":
            guard let members else { return [] }
            return members.keys.flatMap { demand(operand[$0], in: members) }
        default: throw UnknownKeyword(keyword: keyword)
        }
    }

    private func pattern(_ text: String) throws -> Regex<AnyRegexOutput> {
        if let pattern = patterns.compiled[text] { return pattern }
        // As ECMA-262 counts.
        let pattern = try Regex(text).matchingSemantics(.unicodeScalar)
        patterns.compiled[text] = pattern
        return pattern
    }

    private func definition(_ reference: JSONValue) throws -> JSONValue {
        guard let text = reference.stringValue, text.hasPrefix("#"),
            let place = root[try JSONPointer(String(text.dropFirst()))]
        else { throw UnknownKeyword(keyword: "$ref: \(reference)") }
        return place
    }

    private static func names(of value: JSONValue) -> [String] {
        switch value {
        case .null: ["null"]
        case .bool: ["boolean"]
        case .integer: ["integer", "number"]
        case .number: ["number"]
        case .string: ["string"]
        case .array: ["array"]
        case .object: ["object"]
        }
    }
}
