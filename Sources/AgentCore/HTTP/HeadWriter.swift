// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Writes heads. What the agent forwards is always a head of its own, built afresh from the parts it understood;
/// the received bytes of a kept field are copied, never the head as a whole.
///
/// A head is written in steps, so that the caller can add fields of its own, injected credentials among them, after
/// everything that a sender could have influenced:
///
///     try HeadWriter.begin(request: head, in: bytes, to: upstream, ..., into: &buffer)
///     HeadWriter.append(lines: secret, into: &buffer)
///     HeadWriter.end(into: &buffer)
enum HeadWriter {
    /// The name that the agent has in `Via` (RFC 9110 §7.6.3).
    static let pseudonym: StaticString = "gateway-agent"

    /// Adds a field of the agent's own. Both must be checked text: no control bytes.
    static func append(_ name: StaticString, _ value: StaticString, into buffer: inout ByteBuffer) {
        buffer.append(name)
        buffer.append(": ")
        buffer.append(value)
        buffer.append("\r\n")
    }

    /// Adds a field of the agent's own. `value` must be checked text: no control bytes.
    static func append(_ name: StaticString, _ value: Span<UInt8>, into buffer: inout ByteBuffer) {
        buffer.append(name)
        buffer.append(": ")
        buffer.append(value)
        buffer.append("\r\n")
    }

    static func append(_ name: StaticString, decimal value: UInt64, into buffer: inout ByteBuffer) {
        buffer.append(name)
        buffer.append(": ")
        buffer.append(decimal: value)
        buffer.append("\r\n")
    }

    /// Adds field lines that were rendered before, each ended by CRLF: how a credential gets into a request.
    static func append(lines: Secret, into buffer: inout ByteBuffer) {
        lines.withExposedBytes { buffer.append($0) }
    }

    /// Adds the empty line.
    static func end(into buffer: inout ByteBuffer) {
        buffer.append("\r\n")
    }

    /// Copies one received field, its whitespace made regular.
    static func append(_ line: HeadField, of bytes: Span<UInt8>, into buffer: inout ByteBuffer) {
        buffer.append(bytes.slice(line.nameRange))
        buffer.append(": ")
        buffer.append(bytes.slice(line.valueRange))
        buffer.append("\r\n")
    }

    /// Copies the received fields that are not left out, in their order, repeated ones each for itself.
    ///
    /// Lines that already read `name: value` are copied together, as far as they stand together.
    static func copy(
        _ fields: FieldSection, of bytes: Span<UInt8>, _ selection: FieldSelection, into buffer: inout ByteBuffer
    ) {
        var run = ByteRange.none
        for index in fields.indices {
            let line = fields[index]
            if selection.leavesOut(line, of: fields, in: bytes) { continue }
            if line.marks.contains(.canonical) {
                let lineEnd = line.valueRange.end &+ 2
                if run.end == line.nameRange.start {
                    run.end = lineEnd
                } else {
                    if !run.isEmpty { buffer.append(bytes.slice(run)) }
                    run = ByteRange(start: line.nameRange.start, end: lineEnd)
                }
            } else {
                if !run.isEmpty { buffer.append(bytes.slice(run)) }
                run = .none
                append(line, of: bytes, into: &buffer)
            }
        }
        if !run.isEmpty { buffer.append(bytes.slice(run)) }
    }

    /// `Via: 1.1 gateway-agent`, with the version in which the message was received; a line of its own behind those
    /// received is the same as one more element (RFC 9110 §5.2, §7.6.3).
    static func appendVia(_ received: HTTPVersion, into buffer: inout ByteBuffer) {
        buffer.append(received == .http11 ? "Via: 1.1 " : "Via: 1.0 ")
        buffer.append(pseudonym)
        buffer.append("\r\n")
    }
}

/// Which received fields are left out of a forwarded head.
struct FieldSelection {
    /// Names that are always left out, with those that the sender's `Connection` named.
    private let known: FieldNameSet
    private let filter: FieldFilter
    private let connectionNamesOthers: Bool
    /// Whether a field of an unknown name needs a look.
    private let looksAtOthers: Bool
    private let dropsForwarding: Bool

    /// - Parameters:
    ///   - always: what the direction never copies.
    ///   - filter: what the caller wants left out.
    ///   - connection: what the sender meant for its own connection only.
    init(always: FieldNameSet, filter: FieldFilter, connection: ConnectionOptions) {
        known = always.union(filter.known).union(connection.named)
        self.filter = filter
        connectionNamesOthers = connection.namesOthers
        looksAtOthers = !filter.others.isEmpty || connection.namesOthers
        dropsForwarding = always.contains(.forwarded)
    }

    @inline(__always)
    func leavesOut(_ line: HeadField, of fields: FieldSection, in bytes: Span<UInt8>) -> Bool {
        if line.name != .other { return known.contains(line.name) }
        return leavesOutOther(line, of: fields, in: bytes)
    }

    private func leavesOutOther(_ line: HeadField, of fields: FieldSection, in bytes: Span<UInt8>) -> Bool {
        let name = bytes.slice(line.nameRange)
        if line.marks.contains(.underscore), known.contains(FieldName(readingUnderscoresAsHyphens: name)) {
            return true
        }
        if dropsForwarding, name.tellsOfForwarding { return true }
        guard looksAtOthers else { return false }
        if filter.matches(name) { return true }
        return connectionNamesOthers && ConnectionOptions.names(line.nameRange, in: fields, bytes)
    }
}

extension Span<UInt8> {
    /// Whether it is the name of a field by which proxies tell of a request's origin: `X-Forwarded-…`.
    var tellsOfForwarding: Bool { count > 12 && CaseFolded(self, from: 0, to: 12) == CaseFolded.forwardedPrefix }
}

extension CaseFolded {
    fileprivate static let forwardedPrefix = CaseFolded("x-forwarded-")
}

extension FieldName {
    /// The known name that a server reads which takes `_` for `-`.
    init(readingUnderscoresAsHyphens name: Span<UInt8>) {
        var bytes: InlineArray<24, UInt8> = .init(repeating: 0)
        guard name.count <= 24 else {
            self = .other
            return
        }
        for index in 0..<name.count {
            bytes[index] = name[index] == UInt8(ascii: "_") ? UInt8(ascii: "-") : name[index]
        }
        self = CaseFolded(bytes.span, from: 0, to: name.count).map { FieldName($0) } ?? .other
    }
}
