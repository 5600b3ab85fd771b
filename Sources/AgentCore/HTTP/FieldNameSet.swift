// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A set of known field names in one word. `FieldName.other` is never a member.
struct FieldNameSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    private var bits: UInt64

    @inline(__always)
    init() { bits = 0 }

    init(arrayLiteral names: FieldName...) {
        self.init()
        for name in names { insert(name) }
    }

    @inline(__always)
    private static func bit(_ name: FieldName) -> UInt64 { (1 &<< UInt64(name.rawValue)) & ~1 }

    @inline(__always)
    func contains(_ name: FieldName) -> Bool { bits & Self.bit(name) != 0 }

    @inline(__always)
    mutating func insert(_ name: FieldName) { bits |= Self.bit(name) }

    func union(_ other: FieldNameSet) -> FieldNameSet {
        var union = self
        union.bits |= other.bits
        return union
    }

    func subtracting(_ other: FieldNameSet) -> FieldNameSet {
        var difference = self
        difference.bits &= ~other.bits
        return difference
    }

    func isDisjoint(with other: FieldNameSet) -> Bool { bits & other.bits == 0 }
    var isEmpty: Bool { bits == 0 }
}

extension FieldNameSet {
    /// Meant for one connection only; each side of the agent writes its own (RFC 9110 §7.6.1).
    ///
    /// `HTTP2-Settings` is here because the upgrade it belongs to is never passed on; `Trailer` because the agent
    /// chooses which trailer fields it forwards.
    static let hopByHop: FieldNameSet = [
        .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization, .te, .trailer,
        .transferEncoding, .upgrade, .http2Settings,
    ]

    /// Who a request was forwarded for. The agent removes what a caller says of this and adds nothing: it stands on the
    /// caller's own host, so there is no earlier sender to name, and an upstream must not be told of one.
    static let forwarding: FieldNameSet = [
        .forwarded, .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedPort, .xForwardedServer, .xRealIP,
    ]

    /// Never copied from a request: written afresh, or not at all.
    static let replacedInRequests = hopByHop.union(forwarding).union([.contentLength, .host, .expect])

    /// Never copied from a response. `Alt-Svc` would invite the caller to go round the agent (RFC 7838 §2).
    static let replacedInResponses = hopByHop.union([.contentLength, .altSvc])

    /// The known names that may come in a trailer section. The others frame, route, authenticate or control, and mean
    /// something only in a head (RFC 9110 §6.5.1).
    static let allowedInTrailers: FieldNameSet = [.etag, .authenticationInfo]
}
