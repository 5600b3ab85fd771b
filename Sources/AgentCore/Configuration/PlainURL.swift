// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// An http or https address with nothing in it that a configuration should not hold: no user, no password, no fragment.
struct PlainURL: Sendable, Equatable {
    let isSecure: Bool
    /// Without brackets, lower case.
    let host: String
    let port: UInt16
    /// Begins with a slash.
    let path: String
    let query: String?

    /// - Returns: nil if the text is no such address at all.
    /// - Throws: what is wrong with it, without quoting a password.
    init?(_ text: String) throws(Misfit) {
        let lower = text.lowercased()
        let rest: Substring
        if lower.hasPrefix("https://") {
            (isSecure, rest) = (true, text.dropFirst(8))
        } else if lower.hasPrefix("http://") {
            (isSecure, rest) = (false, text.dropFirst(7))
        } else {
            return nil
        }
        let authority = rest.prefix { !"/?#".contains($0) }
        if authority.contains("@") {
            throw Misfit(
                message: "holds a user or a password before \"@\"",
                hint: "delete it: a secret has no place in an address")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\"") })
        else {
            throw Misfit(hint: "percent-encode blanks and whatever is not ASCII; write a host name in its xn-- form")
        }
        let tail = rest.dropFirst(authority.count)
        if tail.contains("#") { throw Misfit(hint: "delete \"#\" and what follows: a fragment is never sent") }
        let path = tail.prefix { $0 != "?" }
        self.path = path.isEmpty ? "/" : String(path)
        query = path.count < tail.count ? String(tail.dropFirst(path.count + 1)) : nil
        (host, port) = try Self.hostAndPort(String(authority), standardPort: isSecure ? 443 : 80)
    }

    var isLoopback: Bool { Self.isLoopback(host) }

    /// Whether the host is this one by its very name or number; no resolver is asked, nor is one for a call to a name
    /// that ends in `.localhost` (see `Resolver`).
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        return SocketAddress(ip: host, port: 0)?.isLoopback ?? false
    }

    private static func hostAndPort(_ authority: String, standardPort: UInt16) throws(Misfit) -> (String, UInt16) {
        var host = authority
        var port = standardPort
        let bracket = authority.lastIndex(of: "]")
        if let colon = authority.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            host = String(authority[..<colon])
            let digits = authority[authority.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(digits), number > 0 else {
                throw Misfit(hint: "write a port from 1 to 65535 after the host")
            }
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast()).lowercased()
            if SocketAddress(ip: host, port: port)?.ipBytes.count == 16 { return (host, port) }
            throw Misfit(hint: "write an IPv6 address between the brackets")
        }
        let isName =
            !host.isEmpty && host.utf8.count <= 253
            && host.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-._".utf8.contains(byte)
            }
        if isName, !host.hasPrefix("."), !host.contains("..") { return (host.lowercased(), port) }
        throw Misfit(
            hint: host.isEmpty ? "write a host behind the \"//\"" : "write a host name or an address; IPv6 in brackets")
    }
}
