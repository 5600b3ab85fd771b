// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What an embedded server knows of a request besides its content.
struct EmbeddedRequest: Sendable {
    struct Field: Sendable, Equatable {
        /// As it was written.
        let name: String
        let value: String
    }

    let method: String
    /// As it was received: path and query.
    let target: String
    let path: String
    /// The parameters of the query, percent-decoded; of a repeated one, the last.
    let query: [String: String]
    /// In the order received.
    let fields: [Field]
    let version: HTTPVersion

    /// All values of a field, in order.
    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name }.map(\.value)
    }

    /// The value of a field that may stand once; nil if it is missing or repeated.
    subscript(name: String) -> String? {
        let values = values(name)
        return values.count == 1 ? values[0] : nil
    }

    /// The token of `Authorization: Bearer`; nil if there is no such field.
    var bearerToken: String? {
        guard let value = self["authorization"], value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst(7))
    }

    /// A parameter of the query that is a number.
    func number(_ name: String, default standard: Int) -> Int {
        query[name].flatMap { Int($0) } ?? standard
    }
}

extension EmbeddedRequest {
    init(_ head: borrowing RequestHead, in bytes: Span<UInt8>) {
        func text(_ range: ByteRange) -> String {
            // A field value may hold any byte but control characters; it is shown as Latin-1, which loses none.
            var text = ""
            let bytes = bytes.slice(range)
            for index in bytes.indices { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
            return text
        }
        method = text(head.methodRange)
        target = text(head.targetRange)
        path = text(head.pathRange)
        query = Self.parameters(text(head.queryRange).dropFirst())
        fields = head.fields.lines.map { Field(name: text($0.nameRange), value: text($0.valueRange)) }
        version = head.version
    }

    private static func parameters(_ query: Substring) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            parameters[decoded(parts[0])] = parts.count > 1 ? decoded(parts[1]) : ""
        }
        return parameters
    }

    /// Percent-decoding (RFC 3986 §2.1), and `+` for a space as forms write it. What is no triplet stays as it is.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first?.hexadecimalValue,
                let low = rest.dropFirst().first?.hexadecimalValue
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
