// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Refuses what only a browser sends. A page from anywhere can reach a port on localhost; it cannot choose these fields.
///
/// `Host` under an unknown name is DNS rebinding: the page's own name, made to lead here. `Origin` and `Sec-Fetch-Site`
/// are written by the browser itself. No tool on the host sends them to an API.
struct AllowedHosts: Sendable {
    /// In lower case, without port.
    private let names: [[UInt8]]
    /// For callers on the Unix socket, who have to write something. A page may be served under this name, too, and made
    /// to lead to the port; no page leads to the socket.
    private static let ownName = Array("gateway-agent".utf8)

    init(_ listen: ListenSpec) {
        var names = ["localhost", "127.0.0.1", "[::1]"]
        for address in listen.tcp {
            names.append(address.ip.utf8.contains(UInt8(ascii: ":")) ? "[\(address.ip)]" : address.ip)
        }
        self.names = Set(names).sorted().map { Array($0.lowercased().utf8) }
    }

    enum Refusal: Equatable {
        case origin
        case fetchSite
        case host
    }

    /// - Parameters:
    ///   - bytes: in which the head was parsed.
    ///   - isUnix: whether it came over the Unix socket.
    func check(_ head: RequestHead, in bytes: Span<UInt8>, isUnix: Bool) -> Refusal? {
        if head.fields.names.contains(.origin) { return .origin }
        if let site = head.fields[.secFetchSite], !bytes.slice(site.valueRange).equals("none".utf8.span) {
            return .fetchSite
        }
        // HTTP/1.0 without Host: the parser lets no other request come without.
        if head.hostRange.isEmpty { return nil }
        let authority = bytes.slice(head.hostRange)
        for name in names where Self.names(name, authority) { return nil }
        return isUnix && Self.names(Self.ownName, authority) ? nil : .host
    }

    private static func names(_ name: [UInt8], _ authority: Span<UInt8>) -> Bool {
        let end = authority.lastColonBehindName ?? authority.count
        guard name.count == end else { return false }
        for index in 0..<end {
            let byte = authority[index]
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
