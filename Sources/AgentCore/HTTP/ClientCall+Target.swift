// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Where a single call goes, taken from an address of the configuration.
struct ClientTarget: Sendable, Equatable {
    let endpoint: Endpoint
    /// The host that the certificate must be for, and its port; nil for plain text.
    let tls: TLSPeer?
    /// For `Host`: without a port that is the scheme's own.
    let authority: String
    /// Path and query, as they were written.
    let target: String
    /// For sentences: scheme, authority and path. A query may hold what is nobody's business.
    let description: String

    struct TLSPeer: Sendable, Equatable {
        let host: String
        let port: UInt16
    }

    /// - Parameter url: `http` or `https`; nil for anything else, and for one with a user, a blank or a bad port.
    init?(url: String) {
        let isSecure = url.prefix(8).lowercased() == "https://"
        guard isSecure || url.prefix(7).lowercased() == "http://", Self.isVisible(url) else { return nil }
        let rest = url.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { !"/?#".contains($0) }
        let tail = rest.dropFirst(authority.count).prefix { $0 != "#" }
        var host = String(authority)
        var port: UInt16 = isSecure ? 443 : 80
        var ending = ""
        if let colon = authority.lastIndex(of: ":"), authority.lastIndex(of: "]").map({ $0 < colon }) ?? true {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else { return nil }
            if number != port { ending = ":\(number)" }
            host = String(authority[..<colon])
            port = number
        }
        let bracketed = host
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, !host.utf8.contains(where: { "@[]\\\"".utf8.contains($0) }) else { return nil }
        endpoint = .host(host.lowercased(), port: port)
        tls = isSecure ? TLSPeer(host: host.lowercased(), port: port) : nil
        self.authority = bracketed + ending
        target = tail.hasPrefix("/") ? String(tail) : "/" + tail
        description = "\(isSecure ? "https" : "http")://\(bracketed)\(ending)\(target.prefix { $0 != "?" })"
    }

    /// Plain HTTP over a Unix socket.
    init?(unixPath path: String, target: String) {
        guard target.hasPrefix("/"), Self.isVisible(target), !target.contains("#") else { return nil }
        endpoint = .unix(path: path)
        tls = nil
        authority = "localhost"
        self.target = target
        description = "unix:\(path) \(target.prefix { $0 != "?" })"
    }

    private static func isVisible(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
