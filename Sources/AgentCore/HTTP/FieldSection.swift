// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The field lines of a head or trailer section, in the order received, as ranges into the bytes parsed.
///
/// Reused from message to message: after the first few it allocates nothing.
struct FieldSection: Sendable {
    private(set) var lines: [HeadField] = []
    /// The known names that occur, so that most questions need no search.
    private(set) var names = FieldNameSet()
    /// Those that occur more than once.
    private(set) var repeated = FieldNameSet()

    // Where the parser goes on when more bytes have come.
    private var lineStart = 0
    private var scanned = 0
    private var colon = -1

    var count: Int { lines.count }
    var isEmpty: Bool { lines.isEmpty }

    /// The first field of a known name.
    subscript(name: FieldName) -> HeadField? {
        guard names.contains(name) else { return nil }
        for line in lines where line.name == name { return line }
        return nil
    }

    /// Forgets the fields and keeps the memory.
    mutating func removeAll(from start: Int = 0) {
        lines.removeAll(keepingCapacity: true)
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
        while true {
            if colon < 0 {
                if scanned == lineStart {
                    guard scanned < end else { return nil }
                    let first = bytes[scanned]
                    if first == .carriageReturn {
                        guard scanned + 1 < end else { return nil }
                        guard bytes[scanned + 1] == .lineFeed else {
                            throw HTTPError(.bareCarriageReturn, at: scanned)
                        }
                        return scanned + 2
                    }
                    guard !first.isSpaceOrTab else { throw HTTPError(.obsoleteFolding, at: scanned) }
                    guard lines.count < limit else { throw HTTPError(.fieldCount, limit: limit) }
                }
                guard try parseName(bytes, to: end) else { return nil }
            }
            guard try parseValue(bytes, to: end) else { return nil }
        }
    }

    /// Finds the colon of the line in hand; a name that is not known is checked byte by byte.
    @inline(__always)
    private mutating func parseName(_ bytes: Span<UInt8>, to end: Int) throws(HTTPError) -> Bool {
        let found = bytes.firstColon(from: scanned, to: end)
        if found < end, let folded = CaseFolded(bytes, from: lineStart, to: found) {
            let name = FieldName(folded)
            if name != .other {
                colon = found
                scanned = found + 1
                known = name
                marks = []
                return true
            }
        }
        return try checkName(bytes, to: found, end: end)
    }

    private mutating func checkName(_ bytes: Span<UInt8>, to found: Int, end: Int) throws(HTTPError) -> Bool {
        if scanned == lineStart { marks = [] }
        while scanned < found {
            let byte = bytes[scanned]
            guard ByteClass.token.contains(byte) else { throw Self.refusal(ofNameByte: byte, at: scanned) }
            if byte == UInt8(ascii: "_") { marks = .underscore }
            scanned += 1
        }
        guard found < end else { return false }
        guard found > lineStart else { throw HTTPError(.emptyFieldName, at: found) }
        colon = found
        scanned = found + 1
        known = .other
        return true
    }

    private static func refusal(ofNameByte byte: UInt8, at offset: Int) -> HTTPError {
        switch byte {
        case .space, .tab: HTTPError(.spaceInFieldName, at: offset)
        case .carriageReturn: HTTPError(.missingColon, at: offset)
        case .lineFeed: HTTPError(.bareLineFeed, at: offset)
        default: HTTPError(.fieldName, at: offset, byte: byte)
        }
    }

    // Of the line in hand, once its colon is known.
    private var known = FieldName.other
    private var marks = HeadField.Marks()

    /// Runs to the end of the line in hand and keeps the field.
    @inline(__always)
    private mutating func parseValue(_ bytes: Span<UInt8>, to end: Int) throws(HTTPError) -> Bool {
        let stop = bytes.endOfFieldContent(from: scanned, to: end)
        scanned = stop
        guard stop < end else { return false }
        guard bytes[stop] == .carriageReturn else {
            if bytes[stop] == .lineFeed { throw HTTPError(.bareLineFeed, at: stop) }
            throw HTTPError(.fieldValue, at: stop, byte: bytes[stop])
        }
        guard stop + 1 < end else { return false }
        guard bytes[stop + 1] == .lineFeed else { throw HTTPError(.bareCarriageReturn, at: stop) }

        var value = ByteRange(colon + 2, stop)
        var marks = marks
        if colon + 2 < stop, bytes[colon + 1] == .space, !bytes[colon + 2].isSpaceOrTab, !bytes[stop - 1].isSpaceOrTab {
            marks.insert(.canonical)
        } else {
            value = bytes.trimmed(from: colon + 1, to: stop)
        }
        lines.append(
            HeadField(nameRange: ByteRange(lineStart, colon), valueRange: value, name: known, marks: marks))
        if names.contains(known) { repeated.insert(known) }
        names.insert(known)
        lineStart = stop + 2
        scanned = lineStart
        colon = -1
        return true
    }
}
