// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension HeadParser {
    /// Parses a status line and its fields (RFC 9112 §4). No empty line is forgiven before it.
    static func parseResponse(
        _ bytes: Span<UInt8>, into head: inout ResponseHead, limits: HTTPLimits
    ) throws(HTTPError) -> Int? {
        if head.progress == .complete { head.removeAll() }
        let end = min(bytes.count, limits.headBytes)
        if let count = try response(bytes, to: end, into: &head, limits) { return count }
        if bytes.count >= limits.headBytes { throw HTTPError(.headLength, limit: limits.headBytes) }
        return nil
    }

    private static func response(
        _ bytes: Span<UInt8>, to end: Int, into head: inout ResponseHead, _ limits: HTTPLimits
    ) throws(HTTPError) -> Int? {
        if head.progress != .fields {
            guard try statusLine(bytes, to: end, into: &head) else { return nil }
        }
        guard let count = try head.fields.parse(bytes, to: end, limit: limits.fieldCount) else { return nil }
        head.connection = try ConnectionOptions(head.fields, in: bytes, limit: limits.connectionOptions)
        head.progress = .complete
        return count
    }

    /// `HTTP/1.1 200 OK`; the space before an empty reason may be missing, as many servers leave it out.
    private static func statusLine(
        _ bytes: Span<UInt8>, to end: Int, into head: inout ResponseHead
    ) throws(HTTPError) -> Bool {
        if head.progress == .start {
            guard let version = try version(bytes, from: 0, to: end) else { return false }
            head.version = version
            for index in 8..<12 {
                guard index < end else { return false }
                let fits = index == 8 ? bytes[index] == .space : bytes[index].isDigit
                guard fits else { throw HTTPError(.statusLine, at: index, byte: bytes[index]) }
            }
            head.status = Int(bytes[9] &- 0x30) * 100 + Int(bytes[10] &- 0x30) * 10 + Int(bytes[11] &- 0x30)
            guard 100...599 ~= head.status else { throw HTTPError(.statusLine, at: 9) }
            guard end > 12 else { return false }
            guard bytes[12] == .space || bytes[12] == .carriageReturn || bytes[12] == .lineFeed else {
                throw HTTPError(.statusLine, at: 12, byte: bytes[12])
            }
            head.scanned = bytes[12] == .space ? 13 : 12
            head.reasonRange = ByteRange(head.scanned, head.scanned)
            head.progress = .target
        }
        let stop = bytes.extracting(first: end).endOfFieldContent(from: head.scanned)
        head.scanned = stop
        if stop < end, bytes[stop] != .carriageReturn, bytes[stop] != .lineFeed {
            throw HTTPError(.statusLine, at: stop, byte: bytes[stop])
        }
        guard let next = try endOfLine(bytes, at: stop, to: end) else { return false }
        head.reasonRange = ByteRange(head.reasonRange.lower, stop)
        head.fields.removeAll(from: next)
        head.progress = .fields
        return true
    }
}
