// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Where in a JSON5 text each key and value stands, and where the text is wrong.
///
/// FoundationEssentials' decoder reads the values, but it says of a broken text only that it is broken, takes one of
/// two equal keys in silence, and reads some texts otherwise than JSON5 means them. So a text that a person wrote passes
/// here first. What Foundation reads otherwise (a line continued in a string, `\x41`) is refused rather than guessed at.
struct JSONOutline: Sendable, Equatable {
    /// Offset of the value's first byte.
    var offset: Int
    /// Of an object: where each key stands, and the outline of its value.
    var members: [String: Member] = [:]
    /// Of a list: the outlines of its elements, in order.
    var elements: [JSONOutline] = []

    struct Member: Sendable, Equatable {
        let keyOffset: Int
        let value: JSONOutline
    }

    /// The same key twice in one object.
    struct Duplicate: Sendable, Equatable {
        let path: [String]
        let first: Int
        let second: Int
    }

    /// What is wrong, at which byte, in the words of an error message.
    struct SyntaxError: Error, Sendable, Equatable {
        let offset: Int
        let message: String
    }

    /// Reads the whole text; a byte order mark may begin it.
    static func read(
        _ bytes: [UInt8], maximumDepth: Int = 32
    ) throws(SyntaxError) -> (outline: JSONOutline, duplicates: [Duplicate]) {
        var scanner = JSON5Scanner(bytes: bytes, maximumDepth: maximumDepth)
        let outline = try scanner.document()
        return (outline, scanner.duplicates)
    }
}

/// A place in a text, as an editor counts: from 1, a column for each Unicode scalar.
struct TextPlace: Sendable, Hashable, Comparable, CustomStringConvertible {
    let line: Int
    let column: Int

    var description: String { "\(line):\(column)" }

    static func < (left: TextPlace, right: TextPlace) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// Turns offsets into places; built once for a text. Lines end at LF, CR or both.
struct TextPlaces: Sendable {
    private let bytes: [UInt8]
    private let lineStarts: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let isLineEnd: (Int) -> Bool = { index in
            let isPair = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n")
            return bytes[index] == UInt8(ascii: "\n") || bytes[index] == UInt8(ascii: "\r") && !isPair
        }
        lineStarts = [0] + bytes.indices.filter(isLineEnd).map { $0 + 1 }
    }

    subscript(offset: Int) -> TextPlace {
        let offset = min(max(0, offset), bytes.count)
        let line = lineStarts.partitioningIndex { $0 > offset } - 1
        let isContinuation: (UInt8) -> Bool = { $0 & 0xC0 == 0x80 }
        let start = lineStarts[line]
        let skipped = start == 0 && bytes.starts(with: JSON5Scanner.byteOrderMark) ? min(3, offset) : start
        return TextPlace(line: line + 1, column: bytes[skipped..<offset].count { !isContinuation($0) } + 1)
    }
}

extension Array {
    /// The first index whose element satisfies `isBehind`, which all elements after it satisfy too.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
