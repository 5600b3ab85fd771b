// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Where a socket is bound or connected: an IPv4 or IPv6 address with its port, or a Unix socket's path.
@safe
struct SocketAddress: Sendable {
    private var storage = sockaddr_storage()
    private var length: socklen_t

    /// Longest path that `sun_path` of unix(7) holds, the ending NUL not counted.
    static let unixPathLimit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// A numeric address: `127.0.0.1`, `::1`; nil for a name.
    init?(ip text: String, port: UInt16) {
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        if unsafe inet_pton(AF_INET, text, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: v4, as: sockaddr_in.self) }
        } else if unsafe inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: v6, as: sockaddr_in6.self) }
        } else {
            return nil
        }
    }

    /// A Unix socket's path; nil if it is empty, longer than `unixPathLimit` or holds a NUL.
    init?(unixPath path: String) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= Self.unixPathLimit, !bytes.contains(0) else { return nil }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
        length = socklen_t(offset + bytes.count + 1)
        storage.ss_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &storage) { memory in
            for (index, byte) in bytes.enumerated() { unsafe memory[offset + index] = byte }
        }
    }

    /// What a system call filled in. An address that fits no `sockaddr_storage` cannot occur.
    @unsafe
    init(storage: sockaddr_storage, length: socklen_t) {
        self.storage = storage
        self.length = min(length, socklen_t(MemoryLayout<sockaddr_storage>.size))
    }

    /// `AF_INET`, `AF_INET6` or `AF_UNIX`.
    var family: Int32 { Int32(storage.ss_family) }

    var port: UInt16? {
        switch family {
        case AF_INET: UInt16(bigEndian: v4.sin_port)
        case AF_INET6: UInt16(bigEndian: v6.sin6_port)
        default: nil
        }
    }

    /// The address in network byte order: 4 or 16 bytes; empty for a Unix socket.
    var ipBytes: [UInt8] {
        switch family {
        case AF_INET: unsafe withUnsafeBytes(of: v4.sin_addr) { unsafe Array($0) }
        case AF_INET6: unsafe withUnsafeBytes(of: v6.sin6_addr) { unsafe Array($0) }
        default: []
        }
    }

    /// 127.0.0.0/8, ::1, their mapped form, and every Unix socket: reachable from this host alone.
    var isLoopback: Bool {
        let bytes = ipBytes
        return switch bytes.count {
        case 0: true
        case 4: bytes[0] == 127
        default:
            bytes == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
                || (bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff && bytes[12] == 127)
        }
    }

    /// 169.254.0.0/16, fe80::/10, and fd00:ec2::/32, where a cloud's metadata service answers: no router passes them on.
    var isLinkLocal: Bool {
        let bytes = ipBytes
        return switch bytes.count {
        case 4: bytes[0] == 169 && bytes[1] == 254
        case 16: bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80 || bytes[..<4] == [0xfd, 0x00, 0x0e, 0xc2]
        default: false
        }
    }

    var unixPath: String? {
        guard family == AF_UNIX else { return nil }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
        return unsafe withUnsafeBytes(of: storage) { memory in
            let end = min(Int(length), memory.count)
            guard end > offset else { return "" }
            return unsafe String(decoding: memory[offset..<end].prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Calls `body` with what bind(2) and connect(2) take.
    @unsafe
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    private var v4: sockaddr_in { unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in.self) } }
    private var v6: sockaddr_in6 { unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in6.self) } }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:4748`, `[::1]:4748` or `unix:/run/agent.sock`.
    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch family {
        case AF_INET:
            var address = v4.sin_addr
            unsafe inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
            return "\(Self.string(text)):\(port ?? 0)"
        case AF_INET6:
            var address = v6.sin6_addr
            unsafe inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
            return "[\(Self.string(text))]:\(port ?? 0)"
        default:
            return "unix:\(unixPath ?? "")"
        }
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension SocketAddress: Equatable {
    static func == (left: SocketAddress, right: SocketAddress) -> Bool {
        left.description == right.description
    }
}
