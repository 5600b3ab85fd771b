// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Looks into the head in hand, where it stands in the caller's buffer.
///
/// Mutating, all of them, though nothing changes: a large value that is only borrowed is copied for the call, a mutated one
/// stays where it is.
extension ServerConnection {
    mutating func withHead<Result>(_ body: (borrowing RequestHead, Span<UInt8>) -> Result) -> Result {
        body(head, input.readable)
    }

    /// The method, for the log: cut and made visible.
    var methodText: String {
        mutating get {
            switch head.method {
            case .get: "GET"
            case .post: "POST"
            case .head: "HEAD"
            default: withHead { $1.text($0.methodRange, limit: 32) }
            }
        }
    }

    mutating func tokenQuery() throws(ErrorAnswer) -> TokenQuery {
        try TokenQuery(input.readable.slice(head.queryRange))
    }

    mutating func checkServed() throws(HTTPError) {
        try ServedRequests.check(head)
    }

    mutating func refusal(by plan: GatewayPlan) -> AllowedHosts.Refusal? {
        plan.hosts.check(head, in: input.readable, isUnix: isUnix)
    }

    mutating func requestFraming(_ limits: HTTPLimits) throws(HTTPError) -> BodyFraming {
        try BodyFraming.request(head, in: input.readable, limits: limits)
    }

    /// Writes the request head for a route's upstream, see `HeadWriter.begin`.
    mutating func writeUpstreamHead(
        _ route: Route, framing: BodyFraming, options: HeadWriter.RequestOptions, into buffer: inout ByteBuffer
    ) throws(HTTPError) {
        let bytes = input.readable
        try HeadWriter.begin(
            request: head, in: bytes, to: route.form,
            replacing: route.prefixCount(in: bytes.slice(head.pathRange)), framing: framing, options: options,
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
