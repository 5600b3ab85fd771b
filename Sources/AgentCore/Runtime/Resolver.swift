// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Name resolution by the system's own resolver, getaddrinfo(3): /etc/hosts, NSS and resolv.conf count as for any other
/// program. It blocks, so it runs off the loop.
enum Resolver {
    struct Question: Hashable, Sendable {
        let host: String
        let port: UInt16
    }

    /// Those of all loops. A name server that does not answer is waited for by half a minute a name (resolv.conf(5)).
    static let ofThisHost = JoinedLookUps<Question, Result<[SocketAddress], ResolveFailure>>(limit: 8) {
        resolve($0.host, port: $0.port)
    }

    /// Addresses in the order of RFC 6724. A numeric host is answered without a look-up, and so is a name below
    /// `localhost` (RFC 6761 §6.3): `PlainURL` lets plain text go there, and no name server may say where that is.
    static func resolve(_ host: String, port: UInt16) -> Result<[SocketAddress], ResolveFailure> {
        if let address = SocketAddress(ip: host, port: port) { return .success([address]) }
        if host.lowercased().hasSuffix(".localhost") {
            return .success(["::1", "127.0.0.1"].compactMap { SocketAddress(ip: $0, port: port) })
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        // AI_ADDRCONFIG is left out: it hides ::1 and 127.0.0.1 on hosts and in namespaces with nothing but loopback.
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            let reason =
                code == EAI_SYSTEM ? SystemError("getaddrinfo").reason : unsafe String(cString: gai_strerror(code))
            return .failure(ResolveFailure(host: host, reason: reason))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next?.pointee {
            if let pointer = unsafe entry.ai_addr {
                var storage = sockaddr_storage()
                let length = min(Int(unsafe entry.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
                unsafe withUnsafeMutableBytes(of: &storage) { unsafe _ = memcpy($0.baseAddress!, pointer, length) }
                let address = unsafe SocketAddress(storage: storage, length: socklen_t(length))
                if !addresses.contains(address) { addresses.append(address) }
            }
            unsafe next = entry.ai_next
        }
        return addresses.isEmpty
            ? .failure(ResolveFailure(host: host, reason: "the name has no address")) : .success(addresses)
    }
}

/// A name that did not resolve.
struct ResolveFailure: Error, CustomStringConvertible {
    let host: String
    /// What gai_strerror(3) says.
    let reason: String

    var description: String { "host name \"\(host)\" does not resolve: \(reason)" }
}
