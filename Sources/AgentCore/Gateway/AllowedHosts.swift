// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Refuses what only a browser sends. A page from anywhere can reach a port on localhost; it cannot choose these fields.
///
/// `Host` under an unknown name is DNS rebinding: the page's own name, made to lead here. `Origin` and `Sec-Fetch-Site`
/// are written by the browser itself. No tool on the host sends them to an API.
struct AllowedHosts: Sendable {
    /// Without port.
    private let names: [CaseFolded]
    /// Those that are too long for that: IPv6 addresses written out. In lower case.
    private let longNames: [[UInt8]]
    /// For callers on the Unix socket, who have to write something. A page may be served under this name, too, and made
    /// to lead to the port; no page leads to the socket.
    private static let ownName = CaseFolded("gateway-agent")
    /// One of the listeners takes connections to whatever address the host has. A browser that was led here by a name says
    /// that name; who says an address means this host.
    private let takesAddresses: Bool

    /// - Parameter listeners: those that are open, whatever the configuration says by now.
    init(_ listeners: [SocketAddress]) {
        var names = ["localhost", "127.0.0.1", "[::1]"]
        for address in listeners {
            guard let port = address.port else { continue }
            names.append(String(address.description.dropLast(":\(port)".count)))
        }
        takesAddresses = listeners.contains { !$0.ipBytes.isEmpty && $0.ipBytes.allSatisfy { $0 == 0 } }
        let all = Set(names).sorted().map { Array($0.lowercased().utf8) }
        self.names = all.compactMap { CaseFolded($0.span, from: 0, to: $0.count) }
        longNames = all.filter { $0.count > CaseFolded.longest }
    }

    enum Refusal: Equatable {
        case origin
        case fetchSite
        case host
    }

    /// - Parameters:
    ///   - bytes: in which the head was parsed.
    ///   - isUnix: whether it came over the Unix socket.
    func check(_ head: borrowing RequestHead, in bytes: Span<UInt8>, isUnix: Bool) -> Refusal? {
        if head.fields.names.contains(.origin) { return .origin }
        if let site = head.fields[.secFetchSite], !bytes.slice(site.valueRange).equals("none".utf8.span) {
            return .fetchSite
        }
        // HTTP/1.0 without Host: the parser lets no other request come without.
        if head.hostRange.isEmpty { return nil }
        let authority = bytes.slice(head.hostRange)
        let end = authority.lastColonBehindName ?? authority.count
        // The parser has checked that it is a host: of braces, which fold like brackets, there are none.
        if let host = CaseFolded(authority, from: 0, to: end) {
            for name in names where name == host { return nil }
            if isUnix && host == Self.ownName { return nil }
        } else if longNames.contains(where: { Self.equal($0, authority.extracting(first: end)) }) {
            return nil
        }
        return takesAddresses && Self.isAddress(authority.extracting(first: end)) ? nil : .host
    }

    /// `192.0.2.1`, `[2001:db8::1]`.
    private static func isAddress(_ host: Span<UInt8>) -> Bool {
        let text = String(decoding: host.indices.map { host[$0] }, as: UTF8.self)
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        return SocketAddress(ip: isBracketed ? String(text.dropFirst().dropLast()) : text, port: 0) != nil
    }

    private static func equal(_ name: [UInt8], _ host: Span<UInt8>) -> Bool {
        guard name.count == host.count else { return false }
        for index in host.indices {
            let byte = host[index]
            if (0x41...0x5A ~= byte ? byte | 0x20 : byte) != name[index] { return false }
        }
        return true
    }
}

extension Span where Element == UInt8 {
    /// Where `:port` begins in a host with a port; the colons of an IPv6 address are inside brackets.
    fileprivate var lastColonBehindName: Int? {
        for index in indices.reversed() {
            if self[index] == UInt8(ascii: ":") { return index }
            if self[index] == UInt8(ascii: "]") { return nil }
        }
        return nil
    }
}
