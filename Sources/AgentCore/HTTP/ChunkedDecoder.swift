// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Takes the chunked coding off content as it arrives (RFC 9112 §7.1). Keeps no bytes and, until there are trailers,
/// allocates nothing.
///
/// Strict: sizes are hexadecimal digits and nothing else (no sign, no `0x`, no whitespace around them, at most 16), lines
/// end in CRLF, extensions are bounded and dropped, and data is followed by CRLF.
///
///     var position = 0
///     while true {
///         switch try decoder.next(buffer.readable, &position) {
///         case .data(let range): send those bytes on
///         case .needMore: buffer.consume(position); position = 0; read more into it
///         case .end(let trailers): the section stands in `trailers`, its fields in `decoder.trailers`; then consume
///         }
///     }
struct ChunkedDecoder: Sendable {
    enum Step: Sendable, Equatable {
        /// Content, in the bytes given. Never empty; a chunk comes in as many pieces as it arrived in.
        case data(Range<Int>)
        /// All bytes before the position are used up; keep those behind it and call again with more.
        case needMore
        /// The content is whole, with this trailer section (at least its CRLF) in the bytes given.
        case end(trailers: Range<Int>)
    }

    /// The trailer fields, once ended: ranges count from the start of the trailer section.
    private(set) var trailers = FieldSection()
    /// Bytes of content so far.
    private(set) var contentCount: UInt64 = 0

    private let limits: HTTPLimits
    private var state = State.size
    private var digits = 0
    private var size: UInt64 = 0
    private var extensionCount = 0
    private var extensionTotal = 0
    private var trailersStarted = false

    private enum State: UInt8, Sendable {
        case size, chunkExtension, sizeEnd, data, dataReturn, dataFeed, trailers, ended
    }

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Makes ready for another message and keeps the memory.
    mutating func reset() {
        trailers.removeAll()
        contentCount = 0
        extensionTotal = 0
        trailersStarted = false
        startSize()
    }

    var hasEnded: Bool { state == .ended }

    /// Does the next step on `bytes` from `position`, and moves it on. After `.end` it must not be called again.
    ///
    /// Offsets in errors count from the start of `bytes`, or of the trailer section.
    mutating func next(_ bytes: Span<UInt8>, _ position: inout Int) throws(HTTPError) -> Step {
        while position < bytes.count {
            let byte = bytes[position]
            switch state {
            case .size:
                try takeSizeByte(byte, at: position)
            case .chunkExtension:
                try takeExtensionByte(byte, at: position)
            case .sizeEnd:
                guard byte == .lineFeed else { throw HTTPError(.bareCarriageReturn, at: position) }
                state = size == 0 ? .trailers : .data
            case .data:
                let available = bytes.count - position
                let count = size < UInt64(available) ? Int(size) : available
                let range = position..<position + count
                position += count
                size -= UInt64(count)
                if size == 0 { state = .dataReturn }
                return .data(range)
            case .dataReturn:
                guard byte == .carriageReturn else { throw HTTPError(.chunkEnd, at: position, byte: byte) }
                state = .dataFeed
            case .dataFeed:
                guard byte == .lineFeed else { throw HTTPError(.bareCarriageReturn, at: position) }
                startSize()
            case .trailers:
                return try takeTrailers(bytes, &position)
            case .ended:
                return .end(trailers: position..<position)
            }
            position += 1
        }
        return .needMore
    }

    private mutating func startSize() {
        state = .size
        digits = 0
        size = 0
        extensionCount = 0
    }

    private mutating func takeSizeByte(_ byte: UInt8, at position: Int) throws(HTTPError) {
        if let digit = byte.hexadecimalValue {
            guard digits < 16, size < 1 &<< 59 else { throw HTTPError(.chunkSize, at: position, byte: byte) }
            size = size &<< 4 | UInt64(digit)
            digits += 1
            return
        }
        guard digits > 0 else { throw HTTPError(.chunkSize, at: position, byte: byte) }
        switch byte {
        case .carriageReturn: try endSize()
        case UInt8(ascii: ";"):
            state = .chunkExtension
            try countExtensionByte()
        case .lineFeed: throw HTTPError(.bareLineFeed, at: position)
        default: throw HTTPError(.chunkSize, at: position, byte: byte)
        }
    }

    /// Extensions mean nothing to the agent: their bytes are checked and counted, and go no further.
    private mutating func takeExtensionByte(_ byte: UInt8, at position: Int) throws(HTTPError) {
        switch byte {
        case .carriageReturn: try endSize()
        case .lineFeed: throw HTTPError(.bareLineFeed, at: position)
        default:
            guard byte.isFieldContent else { throw HTTPError(.chunkExtension, at: position, byte: byte) }
            try countExtensionByte()
        }
    }

    private mutating func countExtensionByte() throws(HTTPError) {
        extensionCount += 1
        extensionTotal += 1
        guard extensionCount <= limits.chunkExtensionBytes else {
            throw HTTPError(.chunkExtensionLength, limit: limits.chunkExtensionBytes)
        }
        guard extensionTotal <= limits.chunkExtensionTotalBytes else {
            throw HTTPError(.chunkExtensionLength, limit: limits.chunkExtensionTotalBytes)
        }
    }

    /// The size is whole: refuses content beyond the limit before any of it is taken.
    private mutating func endSize() throws(HTTPError) {
        let (sum, overflow) = contentCount.addingReportingOverflow(size)
        guard !overflow, sum <= limits.contentBytes else {
            throw HTTPError(.contentTooLarge, limit: limits.contentBytes)
        }
        contentCount = sum
        state = .sizeEnd
    }

    /// The section is parsed where it stands, once it is whole; until then the caller keeps its bytes.
    private mutating func takeTrailers(_ bytes: Span<UInt8>, _ position: inout Int) throws(HTTPError) -> Step {
        if !trailersStarted {
            trailers.removeAll()
            trailersStarted = true
        }
        let section = bytes.extracting(position..<bytes.count)
        let end = min(section.count, limits.trailerBytes)
        guard let count = try trailers.parse(section, to: end, limit: limits.fieldCount) else {
            if section.count >= limits.trailerBytes { throw HTTPError(.trailerLength, limit: limits.trailerBytes) }
            return .needMore
        }
        state = .ended
        defer { position += count }
        return .end(trailers: position..<position + count)
    }
}
