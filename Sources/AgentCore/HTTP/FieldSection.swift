// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The field lines of a head or trailer section, in the order received, as ranges into the bytes parsed.
///
/// Reused from message to message: after the first few it allocates nothing.
struct FieldSection: Sendable {
    /// Those of earlier messages stand behind the first `count`, and are written over.
    private var kept: [HeadField] = []
    private(set) var count = 0
    /// The known names that occur, so that most questions need no search.
    private(set) var names = FieldNameSet()
    /// Those that occur more than once.
    private(set) var repeated = FieldNameSet()

    // Where the parser goes on when more bytes have come.
    private var lineStart = 0
    private var scanned = 0
    private var colon = -1

    var isEmpty: Bool { count == 0 }
    var lines: ArraySlice<HeadField> { kept[..<count] }
    var indices: Range<Int> { 0..<count }

    subscript(index: Int) -> HeadField {
        precondition(index < count, "no such field")
        return kept[index]
    }

    /// The first field of a known name.
    subscript(name: FieldName) -> HeadField? {
        guard names.contains(name) else { return nil }
        for index in 0..<count where kept[index].name == name { return kept[index] }
        return nil
    }

    /// Forgets the fields and keeps the memory.
    mutating func removeAll(from start: Int = 0) {
        count = 0
        names = FieldNameSet()
        repeated = FieldNameSet()
        lineStart = start
        scanned = start
        colon = -1
    }

    /// Parses `bytes[..<end]` from where it stopped, up to and with the empty line (RFC 9112 §5).
    ///
    /// A byte is judged as soon as it is seen, so the answer never depends on how the bytes arrived.
    ///
    /// - Returns: the offset behind the empty line, or nil when more bytes are needed.
    mutating func parse(_ bytes: Span<UInt8>, to end: Int, limit: Int) throws(HTTPError) -> Int? {
        let bytes = bytes.extracting(first: end)
        while true {
            if colon < 0 {
                if scanned == lineStart {
                    parseCommonLines(bytes, limit: limit)
                    guard scanned < bytes.count else { return nil }
                    let first = bytes[scanned]
                    if first == .carriageReturn {
                        guard scanned + 1 < bytes.count else { return nil }
                        guard bytes[scanned + 1] == .lineFeed else {
                            throw HTTPError(.bareCarriageReturn, at: scanned)
                        }
                        return scanned + 2
                    }
                    guard !first.isSpaceOrTab else { throw HTTPError(.obsoleteFolding, at: scanned) }
                    guard count < limit else { throw HTTPError(.fieldCount, limit: limit) }
                }
                guard try parseName(bytes) else { return nil }
            }
            guard try parseValue(bytes) else { return nil }
        }
    }

    /// The short way for lines that are whole, well formed and have a plain name: nearly all there are. Stops before the
    /// first line that is anything else, and leaves it to the long way, which alone refuses.
    @inline(__always)
    private mutating func parseCommonLines(_ bytes: Span<UInt8>, limit: Int) {
        let table = FieldName.table
        var start = lineStart
        while count < limit {
            guard let folded = CaseFolded(bytes, upToColonFrom: start) else { break }
            let colon = start + Int(folded.count)
            let name = FieldName(folded, in: table)
            guard name != .other || folded.isPlain else { break }
            let stop = bytes.endOfFieldContent(from: colon + 1)
            guard stop < bytes.count - 1, bytes[stop] == .carriageReturn, bytes[stop + 1] == .lineFeed else { break }
            keep(bytes, from: start, colon: colon, to: stop, name, [])
            start = stop + 2
        }
        lineStart = start
        scanned = start
    }

    /// Finds the colon of the line in hand, and checks its name byte by byte.
    private mutating func parseName(_ bytes: Span<UInt8>) throws(HTTPError) -> Bool {
        while scanned < bytes.count {
            let byte = bytes[scanned]
            if byte == UInt8(ascii: ":") {
                guard scanned > lineStart else { throw HTTPError(.emptyFieldName, at: scanned) }
                colon = scanned
                scanned += 1
                return true
            }
            guard ByteClass.token.contains(byte) else { throw Self.refusal(ofNameByte: byte, at: scanned) }
            scanned += 1
        }
        return false
    }

    private static func refusal(ofNameByte byte: UInt8, at offset: Int) -> HTTPError {
        switch byte {
        case .space, .tab: HTTPError(.spaceInFieldName, at: offset)
        case .carriageReturn: HTTPError(.missingColon, at: offset)
        case .lineFeed: HTTPError(.bareLineFeed, at: offset)
        default: HTTPError(.fieldName, at: offset, byte: byte)
        }
    }

    /// Runs to the end of the line in hand and keeps the field.
    private mutating func parseValue(_ bytes: Span<UInt8>) throws(HTTPError) -> Bool {
        let stop = bytes.endOfFieldContent(from: scanned)
        scanned = stop
        guard stop < bytes.count else { return false }
        guard bytes[stop] == .carriageReturn else {
            if bytes[stop] == .lineFeed { throw HTTPError(.bareLineFeed, at: stop) }
            throw HTTPError(.fieldValue, at: stop, byte: bytes[stop])
        }
        guard stop + 1 < bytes.count else { return false }
        guard bytes[stop + 1] == .lineFeed else { throw HTTPError(.bareCarriageReturn, at: stop) }
        let name = CaseFolded(bytes, from: lineStart, to: colon).map { FieldName($0) } ?? .other
        var marks = HeadField.Marks()
        for index in lineStart..<colon where bytes[index] == UInt8(ascii: "_") { marks = .underscore }
        keep(bytes, from: lineStart, colon: colon, to: stop, name, marks)
        lineStart = stop + 2
        scanned = lineStart
        colon = -1
        return true
    }

    /// Keeps the field of one whole line, its value without the whitespace around it.
    @inline(__always)
    private mutating func keep(
        _ bytes: Span<UInt8>, from start: Int, colon: Int, to stop: Int, _ name: FieldName, _ marks: HeadField.Marks
    ) {
        var marks = marks
        var value = ByteRange(colon + 2, stop)
        if colon + 2 < stop, bytes[colon + 1] == .space, !bytes[colon + 2].isSpaceOrTab, !bytes[stop - 1].isSpaceOrTab {
            marks.insert(.canonical)
        } else {
            value = bytes.trimmed(from: colon + 1, to: stop)
        }
        let line = HeadField(nameRange: ByteRange(start, colon), valueRange: value, name: name, marks: marks)
        if count < kept.count { kept[count] = line } else { kept.append(line) }
        count += 1
        if names.contains(name) { repeated.insert(name) }
        names.insert(name)
    }
}
