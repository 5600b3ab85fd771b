// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Puts the chunked coding on content (RFC 9112 §7.1): one chunk for each arrival, so nothing waits for more.
enum ChunkedEncoder {
    /// Bytes that `begin` and `end` add to a chunk, at most.
    static let overhead = 20

    /// Begins a chunk of `count` bytes; the bytes follow, then `end`. A chunk of 0 bytes would be the last: none is
    /// begun.
    static func begin(_ count: Int, into buffer: inout ByteBuffer) {
        guard count > 0 else { return }
        buffer.append(hexadecimal: UInt64(count))
        buffer.append("\r\n")
    }

    /// Ends a chunk.
    static func end(into buffer: inout ByteBuffer) {
        buffer.append("\r\n")
    }

    /// A whole chunk; nothing for no bytes.
    static func append(_ bytes: Span<UInt8>, into buffer: inout ByteBuffer) {
        guard !bytes.isEmpty else { return }
        buffer.reserve(bytes.count + overhead)
        begin(bytes.count, into: &buffer)
        buffer.append(bytes)
        end(into: &buffer)
    }

    /// The last chunk, without trailers.
    static func appendLast(into buffer: inout ByteBuffer) {
        buffer.append("0\r\n\r\n")
    }

    /// The last chunk with the trailers received, parsed from `bytes`.
    ///
    /// A field that has its meaning in a head is left out, not refused: content that arrived whole should not be lost
    /// to it, and left out it can do nothing (RFC 9110 §6.5.1).
    static func appendLast(
        trailers: FieldSection, in bytes: Span<UInt8>, leavingOut filter: FieldFilter = FieldFilter(),
        into buffer: inout ByteBuffer
    ) {
        buffer.append("0\r\n")
        for line in trailers.lines where permits(line, in: bytes, filter) {
            HeadWriter.append(line, of: bytes, into: &buffer)
        }
        buffer.append("\r\n")
    }

    private static func permits(_ line: HeadField, in bytes: Span<UInt8>, _ filter: FieldFilter) -> Bool {
        if line.name != .other {
            return FieldNameSet.allowedInTrailers.contains(line.name) && !filter.known.contains(line.name)
        }
        if line.marks.contains(.underscore) { return false }
        let name = bytes.slice(line.nameRange)
        return !filter.matches(name) && !name.tellsOfForwarding
    }
}
