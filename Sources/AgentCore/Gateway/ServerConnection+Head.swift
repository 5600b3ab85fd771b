// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Looks into the head in hand, where it stands in the caller's buffer.
extension ServerConnection {
    func withHead<Result>(_ body: (borrowing RequestHead, Span<UInt8>) -> Result) -> Result {
        Self.with(input, parsed, body)
    }

    private static func with<Result>(
        _ input: borrowing ByteBuffer, _ parsed: borrowing ParsedHead,
        _ body: (borrowing RequestHead, Span<UInt8>) -> Result
    ) -> Result {
        body(parsed.head, input.readable)
    }

    /// The method, for the log: cut and made visible.
    var methodText: String {
        switch parsed.head.method {
        case .get: "GET"
        case .post: "POST"
        case .head: "HEAD"
        default: withHead { $1.text($0.methodRange, limit: 32) }
        }
    }

    func requestFraming(_ limits: HTTPLimits) throws(HTTPError) -> BodyFraming {
        try Self.framing(input, parsed, limits)
    }

    private static func framing(
        _ input: borrowing ByteBuffer, _ parsed: borrowing ParsedHead, _ limits: HTTPLimits
    ) throws(HTTPError) -> BodyFraming {
        try BodyFraming.request(parsed.head, in: input.readable, limits: limits)
    }

    /// Writes the request head for a route's upstream, see `HeadWriter.begin`.
    func writeUpstreamHead(
        _ route: Route, framing: BodyFraming, options: HeadWriter.RequestOptions, into buffer: inout ByteBuffer
    ) throws(HTTPError) {
        try Self.write(input, parsed, route, framing, options, into: &buffer)
    }

    private static func write(
        _ input: borrowing ByteBuffer, _ parsed: borrowing ParsedHead, _ route: Route, _ framing: BodyFraming,
        _ options: HeadWriter.RequestOptions, into buffer: inout ByteBuffer
    ) throws(HTTPError) {
        let bytes = input.readable
        try HeadWriter.begin(
            request: parsed.head, in: bytes, to: route.form,
            replacing: route.prefixCount(in: bytes.slice(parsed.head.pathRange)), framing: framing, options: options,
            into: &buffer)
    }
}

extension RequestHead {
    /// The sender takes trailers (`TE: trailers`, RFC 9110 §10.1.4); the one word of TE that is passed on.
    func welcomesTrailers(in bytes: Span<UInt8>) -> Bool {
        guard let field = fields[.te] else { return false }
        return bytes.isName(field.valueRange, Self.trailersWord)
    }

    private static let trailersWord = CaseFolded("trailers")
}
