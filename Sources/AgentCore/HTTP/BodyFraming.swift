// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Where the content of a message ends (RFC 9112 §6.3).
enum BodyFraming: Sendable, Equatable {
    /// There is none; a request that says nothing, or an answer that cannot have any.
    case none
    /// So many bytes; 0 when the sender said so.
    case length(UInt64)
    case chunked
    /// At the end of the connection; responses only.
    case untilClose
    /// The connection belongs to another protocol from here on.
    case tunnel
}

extension BodyFraming {
    /// Decides for a request. Anything that two readers could understand differently is refused.
    static func request(
        _ head: RequestHead, in bytes: Span<UInt8>, limits: HTTPLimits
    ) throws(HTTPError) -> BodyFraming {
        let framing = try declared(head.fields, head.version, in: bytes) ?? .none
        switch framing {
        case .length(let length) where length > limits.contentBytes:
            throw HTTPError(.contentTooLarge, limit: limits.contentBytes)
        case .length(1...), .chunked:
            if head.asksWebSocket { throw HTTPError(.upgradeWithContent) }
        default: break
        }
        return framing
    }

    /// Decides for a response to a request of `method`, which asked for a WebSocket or did not.
    static func response(
        _ head: ResponseHead, in bytes: Span<UInt8>, to method: HTTPMethod, askedWebSocket: Bool
    ) throws(HTTPError) -> BodyFraming {
        // Read even where it frames nothing: nonsense is nonsense in an answer to HEAD, too.
        let framing = try declared(head.fields, head.version, in: bytes)
        switch head.status {
        case 101:
            guard askedWebSocket, head.connection.upgrade, !head.fields.repeated.contains(.upgrade),
                let upgrade = head.fields[.upgrade], bytes.isName(upgrade.valueRange, HeadParser.webSocketProtocol)
            else { throw HTTPError(.upgradeUnasked) }
            return .tunnel
        case 100..<200, 204, 304: return .none
        case 200..<300 where method == .connect: return .tunnel
        default: return method == .head ? .none : framing ?? .untilClose
        }
    }

    /// The framing that the fields tell of; nil when they say nothing.
    private static func declared(
        _ fields: FieldSection, _ version: HTTPVersion, in bytes: Span<UInt8>
    ) throws(HTTPError) -> BodyFraming? {
        let names = fields.names
        if names.contains(.transferEncoding) {
            if names.contains(.contentLength) { throw HTTPError(.contentLengthWithCoding) }
            // HTTP/1.0 has no transfer codings: whoever sends one has been misled about its peer (RFC 9112 §6.1).
            if version == .http10 { throw HTTPError(.transferCodingVersion) }
            try checkCoding(fields, in: bytes)
            return .chunked
        }
        guard names.contains(.contentLength), let line = fields[.contentLength] else { return nil }
        // RFC 9112 §6.3 permits to merge equal repetitions. Who sends them is confused or attacks: refused.
        if fields.repeated.contains(.contentLength) { throw HTTPError(.contentLengthRepeated) }
        return .length(try length(bytes, line.valueRange))
    }

    private static func checkCoding(_ fields: FieldSection, in bytes: Span<UInt8>) throws(HTTPError) {
        guard let line = fields[.transferEncoding] else { return }
        if fields.repeated.contains(.transferEncoding) { throw HTTPError(.transferCoding) }
        let range = line.valueRange
        if bytes.isName(range, chunkedCoding) { return }
        // Codings before a final chunked are well formed, and unknown here; everything else is ambiguous.
        var position = range.lower
        var others = 0
        while let element = bytes.nextListElement(&position, to: range.upper) {
            if bytes.isName(element, chunkedCoding) {
                guard others > 0, position > range.upper else { break }
                throw HTTPError(.transferCodingUnknown, at: range.lower)
            }
            guard !element.isEmpty, bytes.end(of: .token, from: element.lower, to: element.upper) == element.upper
            else { break }
            others += 1
        }
        throw HTTPError(.transferCoding, at: range.lower)
    }

    private static let chunkedCoding = CaseFolded("chunked")

    /// 1*DIGIT, at most `Int64.max` (RFC 9110 §8.6).
    fileprivate static func length(_ bytes: Span<UInt8>, _ range: ByteRange) throws(HTTPError) -> UInt64 {
        guard !range.isEmpty else { throw HTTPError(.contentLength, at: range.lower) }
        var length: UInt64 = 0
        for index in range.lower..<range.upper {
            guard bytes[index].isDigit else { throw HTTPError(.contentLength, at: index, byte: bytes[index]) }
            let (product, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[index] &- 0x30))
            guard !overflow, !carry, sum <= UInt64(Int64.max) else { throw HTTPError(.contentLength, at: index) }
            length = sum
        }
        return length
    }
}

extension BodyFraming {
    /// How content framed so goes on to a client of `version`: HTTP/1.0 knows no chunks, and for it the end of the
    /// connection ends the content (RFC 9112 §6.1).
    func towards(_ version: HTTPVersion) -> BodyFraming {
        switch self {
        case .chunked, .untilClose: version == .http11 ? .chunked : .untilClose
        case .none, .length, .tunnel: self
        }
    }
}

extension ResponseHead {
    /// Whether the connection may carry another exchange once this one is whole (RFC 9112 §9.3).
    func keepsAlive(_ framing: BodyFraming, in bytes: Span<UInt8>) -> Bool {
        if connection.close || framing == .untilClose || framing == .tunnel { return false }
        // Such an answer has no content; one that announces some may be followed by it all the same.
        if status == 204 {
            if fields.names.contains(.transferEncoding) { return false }
            if fields.names.contains(.contentLength), declaredLength(in: bytes) != 0 { return false }
        }
        return version == .http11 || connection.keepAlive
    }

    /// The `Content-Length` that a HEAD or 304 answer tells of, to be passed on though nothing is framed by it.
    func declaredLength(in bytes: Span<UInt8>) -> UInt64? {
        guard let line = fields[.contentLength] else { return nil }
        return try? BodyFraming.length(bytes, line.valueRange)
    }
}
