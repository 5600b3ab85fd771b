// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// A TCP peer whose owner could not be established; it is refused.
struct PeerUnknown: Error, Equatable, CustomStringConvertible {
    let description: String
}

/// Asks the kernel who owns the other end of a TCP connection on this host: sock_diag(7).
///
/// The question names the exact addresses and ports of both ends, so one socket or none answers, in about 10 µs. As
/// long as our end is open, nobody else can put another socket in the place of the peer's.
///
/// ## Concurrency
/// Not Sendable: one per loop, which asks one question at a time. No call blocks, since the kernel answers within
/// send(2).
@safe
final class SocketDiagnosis {
    private let netlink: Descriptor
    private var sequence: UInt32 = 0
    private var buffer = [UInt8](repeating: 0, count: 4096)

    init() throws(SystemError) {
        let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let raw = socket(AF_NETLINK, kind, NETLINK_SOCK_DIAG)
        guard raw >= 0 else { throw SystemError("socket", on: "NETLINK_SOCK_DIAG") }
        netlink = Descriptor(owning: raw)
    }

    /// The user who owns the far end of `descriptor`, an accepted TCP socket of ours.
    func peerOwner(of descriptor: Int32) throws(PeerUnknown) -> uid_t {
        let remote = unsafe try DiagnosedEnd(descriptor, "peer") { unsafe getpeername($0, $1, $2) }
        let local = unsafe try DiagnosedEnd(descriptor, "own end") { unsafe getsockname($0, $1, $2) }
        return try owner(of: remote, connectedTo: local)
    }

    /// The user whose socket is bound to `end` and connected to `other`.
    private func owner(of end: DiagnosedEnd, connectedTo other: DiagnosedEnd) throws(PeerUnknown) -> uid_t {
        sequence &+= 1
        try ask(end, other)
        let answer = try receive(end)
        // A listener answers for the port alone when no connection fits: the answer has to be for both ends.
        guard DiagnosedEnd(answer.idiag_family, answer.id.idiag_src, answer.id.idiag_sport) == end,
            DiagnosedEnd(answer.idiag_family, answer.id.idiag_dst, answer.id.idiag_dport) == other
        else { throw PeerUnknown(description: "peer \(end) has no such connection any more") }
        // A socket without an inode belongs to no process any more (closed, or TIME_WAIT), and its uid reads as 0.
        guard answer.idiag_inode != 0, Self.connectedStates.contains(UInt32(answer.idiag_state)) else {
            throw PeerUnknown(description: "peer \(end) has closed its socket")
        }
        return answer.idiag_uid
    }

    /// ESTABLISHED, and what it becomes when one side ends its direction first.
    private static let connectedStates: Set<UInt32> = [
        UInt32(TCP_ESTABLISHED), UInt32(TCP_FIN_WAIT1), UInt32(TCP_FIN_WAIT2), UInt32(TCP_CLOSE_WAIT),
        UInt32(TCP_LAST_ACK), UInt32(TCP_CLOSING),
    ]

    private struct Question {
        var header = nlmsghdr()
        var request = inet_diag_req_v2()
    }

    private func ask(_ end: DiagnosedEnd, _ other: DiagnosedEnd) throws(PeerUnknown) {
        var question = Question()
        question.header.nlmsg_len = UInt32(MemoryLayout<Question>.size)
        question.header.nlmsg_type = UInt16(SOCK_DIAG_BY_FAMILY)
        question.header.nlmsg_flags = UInt16(NLM_F_REQUEST)
        question.header.nlmsg_seq = sequence
        question.request.sdiag_family = UInt8(end.isIPv4 ? AF_INET : AF_INET6)
        question.request.sdiag_protocol = UInt8(IPPROTO_TCP)
        question.request.idiag_states = .max
        question.request.id.idiag_sport = end.port.bigEndian
        question.request.id.idiag_dport = other.port.bigEndian
        question.request.id.idiag_src = end.words
        question.request.id.idiag_dst = other.words
        question.request.id.idiag_if = end.scope
        question.request.id.idiag_cookie = (.max, .max)  // INET_DIAG_NOCOOKIE
        let length = MemoryLayout<Question>.size
        let sent = unsafe withUnsafeBytes(of: &question) { unsafe send(netlink.raw, $0.baseAddress, length, 0) }
        guard sent == length else {
            throw PeerUnknown(description: "owner of \(end) not asked for: \(SystemError("send").reason)")
        }
    }

    private func receive(_ end: DiagnosedEnd) throws(PeerUnknown) -> inet_diag_msg {
        let headerSize = MemoryLayout<nlmsghdr>.size
        while true {
            let count = unsafe recv(netlink.raw, &buffer, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw PeerUnknown(description: "owner of \(end) not told: \(SystemError("recv").reason)")
            }
            guard count >= headerSize else { continue }
            let header = unsafe buffer.withUnsafeBytes { unsafe $0.loadUnaligned(as: nlmsghdr.self) }
            // What an earlier question left behind.
            guard header.nlmsg_seq == sequence else { continue }
            if header.nlmsg_type == UInt16(SOCK_DIAG_BY_FAMILY),
                count >= headerSize + MemoryLayout<inet_diag_msg>.size
            {
                return unsafe buffer.withUnsafeBytes {
                    unsafe $0.loadUnaligned(fromByteOffset: headerSize, as: inet_diag_msg.self)
                }
            }
            var code = EPROTO
            if header.nlmsg_type == UInt16(NLMSG_ERROR), count >= headerSize + 4 {
                code = unsafe buffer.withUnsafeBytes {
                    unsafe -$0.loadUnaligned(fromByteOffset: headerSize, as: Int32.self)
                }
            }
            if code == ENOENT { throw PeerUnknown(description: "peer \(end) has no such connection on this host") }
            throw PeerUnknown(description: "owner of \(end) not told: \(SystemError("sock_diag", code: code).reason)")
        }
    }
}

/// One end of a TCP connection in the form that sock_diag compares: IPv4 in its own four bytes, also when the socket is
/// an IPv6 one that carries IPv4 (`::ffff:127.0.0.1`).
private struct DiagnosedEnd: Equatable, CustomStringConvertible {
    /// 4 or 16 bytes.
    let address: [UInt8]
    let port: UInt16
    /// Interface of a link-local address, else 0. Not compared: the kernel does not always tell it.
    let scope: UInt32

    var isIPv4: Bool { address.count == 4 }

    static func == (left: DiagnosedEnd, right: DiagnosedEnd) -> Bool {
        left.address == right.address && left.port == right.port
    }

    init(_ address: [UInt8], port: UInt16, scope: UInt32) {
        let isMapped = address.count == 16 && address[..<10].allSatisfy { $0 == 0 } && address[10...11] == [0xFF, 0xFF]
        self.address = isMapped ? Array(address[12...]) : address
        self.port = port
        self.scope = scope
    }

    init(
        _ descriptor: Int32, _ what: StaticString,
        _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(PeerUnknown) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call(descriptor, $0, &length) }
        }
        guard status == 0 else {
            throw PeerUnknown(description: "address of the \(what) not told: \(SystemError("getpeername").reason)")
        }
        let endpoint: DiagnosedEnd? = unsafe withUnsafeBytes(of: storage) { storage in
            switch unsafe Int32(storage.load(as: sockaddr.self).sa_family) {
            case AF_INET:
                let address = unsafe storage.load(as: sockaddr_in.self)
                let bytes = unsafe withUnsafeBytes(of: address.sin_addr) { unsafe Array($0) }
                return DiagnosedEnd(bytes, port: UInt16(bigEndian: address.sin_port), scope: 0)
            case AF_INET6:
                let address = unsafe storage.load(as: sockaddr_in6.self)
                let bytes = unsafe withUnsafeBytes(of: address.sin6_addr) { unsafe Array($0) }
                return DiagnosedEnd(bytes, port: UInt16(bigEndian: address.sin6_port), scope: address.sin6_scope_id)
            default:
                return nil
            }
        }
        guard let endpoint else { throw PeerUnknown(description: "the \(what) is no TCP address") }
        self = endpoint
    }

    init(_ family: UInt8, _ words: (UInt32, UInt32, UInt32, UInt32), _ port: UInt16) {
        let bytes = unsafe withUnsafeBytes(of: words) { unsafe Array($0) }
        self.init(Int32(family) == AF_INET ? Array(bytes[..<4]) : bytes, port: UInt16(bigEndian: port), scope: 0)
    }

    /// The form of `inet_diag_sockid`, network byte order.
    var words: (UInt32, UInt32, UInt32, UInt32) {
        var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { unsafe $0.copyBytes(from: address) }
        return words
    }

    var description: String {
        if isIPv4 { return address.map { "\($0)" }.joined(separator: ".") + ":\(port)" }
        let groups = stride(from: 0, to: 16, by: 2).map {
            String(UInt16(address[$0]) << 8 | UInt16(address[$0 + 1]), radix: 16)
        }
        return "[\(groups.joined(separator: ":"))]:\(port)"
    }
}
