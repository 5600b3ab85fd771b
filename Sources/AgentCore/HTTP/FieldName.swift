// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The field names that the agent acts on. At most 64, so that a set of them is one word.
enum FieldName: UInt8, Sendable, CaseIterable {
    /// Any name that is not in this list.
    case other = 0

    // Framing and connection control (RFC 9110 §7.6.1, RFC 9112 §6).
    case connection, contentLength, transferEncoding, te, trailer, upgrade, keepAlive, proxyConnection
    case http2Settings, expect, via, maxForwards

    // Where a request goes, and who is said to have sent it on.
    case host, forwarded, xForwardedFor, xForwardedHost, xForwardedProto, xForwardedPort, xForwardedServer, xRealIP

    // Credentials and who asks for them.
    case authorization, proxyAuthorization, proxyAuthenticate, wwwAuthenticate, authenticationInfo
    case cookie, setCookie, xAPIKey, apiKey

    // What a browser adds.
    case origin, referer, secFetchSite, secFetchMode, secFetchDest

    // WebSocket (RFC 6455 §11.3).
    case secWebSocketKey, secWebSocketVersion, secWebSocketProtocol, secWebSocketExtensions, secWebSocketAccept

    // Content and its handling.
    case accept, acceptEncoding, acceptLanguage, userAgent, contentType, contentEncoding, contentRange, range
    case cacheControl, date, age, etag, lastModified, vary, location, server, retryAfter, altSvc, xRequestID

    /// The name in lower case; for `other` an empty string.
    var text: String {
        switch self {
        case .other: ""
        case .connection: "connection"
        case .contentLength: "content-length"
        case .transferEncoding: "transfer-encoding"
        case .te: "te"
        case .trailer: "trailer"
        case .upgrade: "upgrade"
        case .keepAlive: "keep-alive"
        case .proxyConnection: "proxy-connection"
        case .http2Settings: "http2-settings"
        case .expect: "expect"
        case .via: "via"
        case .maxForwards: "max-forwards"
        case .host: "host"
        case .forwarded: "forwarded"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedHost: "x-forwarded-host"
        case .xForwardedProto: "x-forwarded-proto"
        case .xForwardedPort: "x-forwarded-port"
        case .xForwardedServer: "x-forwarded-server"
        case .xRealIP: "x-real-ip"
        case .authorization: "authorization"
        case .proxyAuthorization: "proxy-authorization"
        case .proxyAuthenticate: "proxy-authenticate"
        case .wwwAuthenticate: "www-authenticate"
        case .authenticationInfo: "authentication-info"
        case .cookie: "cookie"
        case .setCookie: "set-cookie"
        case .xAPIKey: "x-api-key"
        case .apiKey: "api-key"
        case .origin: "origin"
        case .referer: "referer"
        case .secFetchSite: "sec-fetch-site"
        case .secFetchMode: "sec-fetch-mode"
        case .secFetchDest: "sec-fetch-dest"
        case .secWebSocketKey: "sec-websocket-key"
        case .secWebSocketVersion: "sec-websocket-version"
        case .secWebSocketProtocol: "sec-websocket-protocol"
        case .secWebSocketExtensions: "sec-websocket-extensions"
        case .secWebSocketAccept: "sec-websocket-accept"
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .acceptLanguage: "accept-language"
        case .userAgent: "user-agent"
        case .contentType: "content-type"
        case .contentEncoding: "content-encoding"
        case .contentRange: "content-range"
        case .range: "range"
        case .cacheControl: "cache-control"
        case .date: "date"
        case .age: "age"
        case .etag: "etag"
        case .lastModified: "last-modified"
        case .vary: "vary"
        case .location: "location"
        case .server: "server"
        case .retryAfter: "retry-after"
        case .altSvc: "alt-svc"
        case .xRequestID: "x-request-id"
        }
    }
}

extension FieldName {
    /// The known name that is spelled so in any mixture of cases, else `other`. Allocates nothing.
    init(_ name: CaseFolded) {
        self.init(name, in: Self.table)
    }

    /// The same with the table at hand, for loops.
    @inline(__always)
    init(_ name: CaseFolded, in table: [TableEntry]) {
        var slot = name.slot
        while true {
            let entry = table[slot]
            if entry.name == .other || entry.folded == name {
                self = entry.name
                return
            }
            slot = (slot + 1) & 255
        }
    }

    struct TableEntry: Sendable {
        fileprivate var folded: CaseFolded
        fileprivate var name: FieldName
    }

    /// 256 slots for at most 63 names: most are found at the first look, and there is always a free slot to stop at.
    static let table: [TableEntry] = {
        var table = [TableEntry](repeating: TableEntry(folded: CaseFolded("x"), name: .other), count: 256)
        for name in allCases where name != .other {
            let folded = CaseFolded(name.text)
            var slot = folded.slot
            while table[slot].name != .other { slot = (slot + 1) & 255 }
            table[slot] = TableEntry(folded: folded, name: name)
        }
        return table
    }()
}
