// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Walks a JSON5 text once and notes where everything stands (see `JSONOutline`). Grammar: https://spec.json5.org.
///
/// Messages quote punctuation, and keys that are too short for a secret; never a value: a token may have been pasted.
struct JSON5Scanner {
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let bytes: [UInt8]
    private let maximumDepth: Int
    private var index = 0
    private var path: [String] = []
    private(set) var duplicates: [JSONOutline.Duplicate] = []

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    typealias Failure = JSONOutline.SyntaxError

    mutating func document() throws(Failure) -> JSONOutline {
        if let bad = Self.firstInvalidUTF8(bytes) { throw failure("the bytes here are no UTF-8", at: bad) }
        if bytes.starts(with: Self.byteOrderMark) { index = 3 }
        try skipBlank()
        if isAtEnd { throw failure("the file is empty; write at least { credentials: {} }") }
        let outline = try value()
        try skipBlank()
        if !isAtEnd { throw failure("something stands behind the end of the document; delete it") }
        return outline
    }

    // MARK: Values

    private mutating func value() throws(Failure) -> JSONOutline {
        switch peek {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try list()
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let start = index
            _ = try string()
            return JSONOutline(offset: start)
        default: return try literal()
        }
    }

    private mutating func object() throws(Failure) -> JSONOutline {
        let start = index
        try checkDepth()
        var outline = JSONOutline(offset: start)
        index += 1
        while true {
            try skipBlank()
            if take("}") { return outline }
            if isAtEnd { throw unclosed("object", "}", from: start) }
            let keyStart = index
            let key = try self.key()
            try skipBlank()
            if !take(":") { throw failure("a colon is missing after \(Self.name(ofKey: key))") }
            try skipBlank()
            path.append(key)
            let value = try value()
            if let first = outline.members[key] {
                duplicates.append(JSONOutline.Duplicate(path: path, first: first.keyOffset, second: keyStart))
            } else {
                outline.members[key] = JSONOutline.Member(keyOffset: keyStart, value: value)
            }
            path.removeLast()
            try skipBlank()
            if take(",") || peek == UInt8(ascii: "}") { continue }
            if peek == UInt8(ascii: "]") { throw failure("an object is closed by ] here; write }") }
            throw isAtEnd ? unclosed("object", "}", from: start) : failure("a comma is missing before this")
        }
    }

    private mutating func list() throws(Failure) -> JSONOutline {
        let start = index
        try checkDepth()
        var outline = JSONOutline(offset: start)
        index += 1
        while true {
            try skipBlank()
            if take("]") { return outline }
            if isAtEnd { throw unclosed("list", "]", from: start) }
            path.append("\(outline.elements.count)")
            outline.elements.append(try value())
            path.removeLast()
            try skipBlank()
            if take(",") || peek == UInt8(ascii: "]") { continue }
            if peek == UInt8(ascii: "}") { throw failure("a list is closed by } here; write ]") }
            throw isAtEnd ? unclosed("list", "]", from: start) : failure("a comma is missing before this")
        }
    }

    private mutating func literal() throws(Failure) -> JSONOutline {
        let start = index
        while let byte = peek,
            Self.isWordByte(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        {
            index += 1
        }
        let word = bytes[start..<index]
        if Self.isNumber(word) || ["true", "false", "null"].contains(where: { word.elementsEqual($0.utf8) }) {
            return JSONOutline(offset: start)
        }
        if let first = word.first {
            let startsAsNumber =
                Self.isDigit(first) || [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(first)
            throw failure(
                startsAsNumber ? notANumber(from: start) : "text stands here without quotes; add them", at: start)
        }
        if isAtEnd { throw failure("the file ends where a value belongs") }
        throw failure("a value is missing here")
    }

    /// Longest text that is too short for a secret, and is shown.
    private static let shownBytes = 12

    /// Quotes what is too short for a secret: a mode, a duration, a size.
    private func notANumber(from start: Int) -> String {
        let word = bytes[start...].prefix { Self.isWordByte($0) || "+-.:/%".utf8.contains($0) }
        guard word.count <= Self.shownBytes else { return "this is no number; write text in quotes" }
        let text = String(decoding: word, as: UTF8.self)
        return "\(text) is no number of JSON5; write it in quotes: \"\(text)\""
    }

    // MARK: Keys and strings

    private mutating func key() throws(Failure) -> String {
        if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") { return try string() }
        let start = index
        while let byte = peek, Self.isWordByte(byte) { index += 1 }
        guard let first = bytes[start..<index].first else { throw failure("a key is missing here") }
        let word = String(decoding: bytes[start..<index], as: UTF8.self)
        var end = index
        while end < bytes.count,
            Self.isWordByte(bytes[end])
                || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/")].contains(bytes[end])
        {
            end += 1
        }
        if end > index || Self.isDigit(first) {
            guard end - start <= Self.shownBytes else { throw failure("this key needs quotes; add them", at: start) }
            let whole = String(decoding: bytes[start..<end], as: UTF8.self)
            throw failure("the key \(whole) needs quotes: \"\(whole)\"", at: start)
        }
        return word
    }

    private static func name(ofKey key: String) -> String {
        let isShown = key.utf8.count <= shownBytes && key.utf8.allSatisfy { isWordByte($0) || "-./".utf8.contains($0) }
        return isShown ? "the key \"\(key)\"" : "this key"
    }

    private mutating func string() throws(Failure) -> String {
        let start = index
        let quote = bytes[index]
        var text: [UInt8] = []
        index += 1
        while let byte = peek {
            index += 1
            switch byte {
            case quote: return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                throw failure("the string that begins here is not closed on its line", at: start)
            case ..<0x20:
                throw failure("a control character stands in a string; write it as \\u00\(hex(byte))", at: index - 1)
            default: text.append(byte)
            }
        }
        throw failure("the string that begins here is not closed", at: start)
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        let start = index - 1
        guard let byte = peek else { throw failure("the file ends inside a string") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let first = try codeUnit(from: start)
            if UTF16.isLeadSurrogate(first), take("\\"), take("u") {
                let second = try codeUnit(from: start)
                guard UTF16.isTrailSurrogate(second) else {
                    throw failure("half a surrogate pair stands here", at: start)
                }
                let scalar = 0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF))
                text += Unicode.Scalar(scalar).map { Array(String($0).utf8) } ?? []
            } else {
                guard let scalar = Unicode.Scalar(first) else {
                    throw failure("half a surrogate pair stands here", at: start)
                }
                if scalar == "\0" { throw failure("a NUL character stands in a string; delete it", at: start) }
                text += Array(String(scalar).utf8)
            }
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            throw failure(
                "a string is continued on the next line; write it on one line, a line break as \\n", at: start)
        default: throw failure("this escape is not known; write a backslash as \\\\", at: start)
        }
    }

    private mutating func codeUnit(from start: Int) throws(Failure) -> UInt16 {
        let digits = bytes[index...].prefix(4)
        guard digits.count == 4, digits.allSatisfy(Self.isHexDigit),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure("\\u needs four hexadecimal digits", at: start) }
        index += 4
        return unit
    }

    // MARK: Blanks

    private mutating func skipBlank() throws(Failure) {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): index += 1
            case UInt8(ascii: "/"): try skipComment()
            case UInt8(ascii: "#"): throw failure("\"#\" begins no comment in JSON5; write //")
            case 0xC2 where index + 1 < bytes.count && bytes[index + 1] == 0xA0:
                throw failure("a no-break space stands here; write a plain space")
            case 0xE2 where lineSeparator != nil:
                throw failure("a line separator (\(lineSeparator ?? "")) stands here; write a line break")
            default: return
            }
        }
    }

    private mutating func skipComment() throws(Failure) {
        let start = index
        index += 1
        if take("/") {
            while let byte = peek, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r"), lineSeparator == nil {
                index += 1
            }
        } else if take("*") {
            while !isAtEnd {
                if take("*") {
                    if take("/") { return }
                } else {
                    index += 1
                }
            }
            throw failure("the comment that begins here is not closed; add */", at: start)
        } else {
            throw failure("a single \"/\" begins no comment; write //", at: start)
        }
    }

    // MARK: Bytes

    private var isAtEnd: Bool { index >= bytes.count }
    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    /// The one that stands here: it ends a line, and thus a comment, as LF and CR do, but no editor shows it so.
    private var lineSeparator: String? {
        guard peek == 0xE2, index + 2 < bytes.count, bytes[index + 1] == 0x80 else { return nil }
        return switch bytes[index + 2] {
        case 0xA8: "U+2028"
        case 0xA9: "U+2029"
        default: nil
        }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: scalar) else { return false }
        index += 1
        return true
    }

    private func checkDepth() throws(Failure) {
        if path.count >= maximumDepth { throw failure("nested deeper than \(maximumDepth) levels") }
    }

    private func failure(_ message: String, at offset: Int? = nil) -> Failure {
        JSONOutline.SyntaxError(offset: offset ?? index, message: message)
    }

    private func unclosed(_ kind: String, _ bracket: String, from start: Int) -> Failure {
        failure("the \(kind) that begins here is not closed; add \(bracket)", at: start)
    }

    private func hex(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
    }

    /// JSON5's numbers without `Infinity` and `NaN`, which no setting wants.
    private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
        var rest = word
        if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest.removeFirst() }
        if rest.count > 2, rest.starts(with: "0x".utf8) || rest.starts(with: "0X".utf8) {
            return rest.dropFirst(2).allSatisfy(isHexDigit)
        }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        if whole.count > 1, whole.first == UInt8(ascii: "0") { return false }
        var fractionCount = 0
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let fraction = rest.prefix(while: isDigit)
            fractionCount = fraction.count
            rest = rest.dropFirst(fraction.count)
        }
        if whole.isEmpty, fractionCount == 0 { return false }
        guard let marker = rest.first else { return true }
        guard marker | 0x20 == UInt8(ascii: "e") else { return false }
        rest.removeFirst()
        if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest.removeFirst() }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }

    private static func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput: return nil
            case .error: return offset
            }
        }
    }
}
