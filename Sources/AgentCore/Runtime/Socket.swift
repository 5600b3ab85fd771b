// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// The system calls of sockets, each with a Swift face and nothing more. All sockets are non-blocking and close-on-exec.
enum Socket {
    /// socket(2) for a stream.
    static func stream(family: Int32) throws(SystemError) -> Descriptor {
        let raw = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemError("socket") }
        let descriptor = Descriptor(owning: raw)
        if family != AF_UNIX { set(raw, IPPROTO_TCP, TCP_NODELAY, 1) }
        return descriptor
    }

    /// connect(2). True if it is done, false if it goes on in the background.
    static func connect(_ descriptor: borrowing Descriptor, to address: SocketAddress) throws(SystemError) -> Bool {
        let raw = descriptor.raw
        let result = unsafe address.withSockaddr { unsafe Glibc.connect(raw, $0, $1) }
        if result == 0 { return true }
        if errno == EINPROGRESS || errno == EINTR { return false }
        throw SystemError("connect", on: address.description)
    }

    /// How a connect(2) in the background ended; nil is well.
    static func pendingError(_ raw: Int32) -> Int32? {
        let code = get(raw, SOL_SOCKET, SO_ERROR)
        return code == 0 ? nil : code
    }

    /// accept4(2). nil: nobody is waiting.
    static func accept(_ raw: Int32) throws(SystemError) -> AcceptedSocket? {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe accept4(raw, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                }
            }
            if accepted >= 0 {
                return AcceptedSocket(
                    descriptor: Descriptor(owning: accepted),
                    peer: unsafe SocketAddress(storage: storage, length: length))
            }
            switch errno {
            case EAGAIN: return nil
            // Errors of one connection that is gone already; accept(2) tells to go on.
            case EINTR, ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                ENETUNREACH, EPERM:
                continue
            default: throw SystemError("accept4")
            }
        }
    }

    /// A listening socket. Port 0 lets the kernel choose.
    ///
    /// - Parameter mode: of the file of a Unix socket.
    static func listen(on address: SocketAddress, mode: mode_t? = nil) throws(SystemError) -> Descriptor {
        let descriptor = try stream(family: address.family)
        let raw = descriptor.raw
        if address.family != AF_UNIX { set(raw, SOL_SOCKET, SO_REUSEADDR, 1) }
        // [::1] and 127.0.0.1 are two listeners; a dual-stack one would take the other's port.
        if address.family == AF_INET6 { set(raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        // The file takes the mode of the unbound socket, narrowed by the umask; so it never has a wider one, and no
        // umask is set, which is the whole process's.
        if let mode, fchmod(raw, mode) != 0 { throw SystemError("fchmod", on: address.description) }
        guard unsafe address.withSockaddr({ unsafe bind(raw, $0, $1) }) == 0 else {
            throw SystemError("bind", on: address.description)
        }
        if let mode, let path = address.unixPath, unsafe chmod(path, mode) != 0 {
            throw SystemError("chmod", on: address.description)
        }
        guard Glibc.listen(raw, 4096) == 0 else { throw SystemError("listen", on: address.description) }
        return descriptor
    }

    /// getsockname(2).
    static func localAddress(_ raw: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(raw, $0, &length) }
        }
        return result == 0 ? unsafe SocketAddress(storage: storage, length: length) : nil
    }

    /// getpeername(2).
    static func peerAddress(_ raw: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getpeername(raw, $0, &length) }
        }
        return result == 0 ? unsafe SocketAddress(storage: storage, length: length) : nil
    }

    static func set(_ raw: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    static func set(_ raw: Int32, _ level: Int, _ option: Int32, _ value: Int32) {
        set(raw, Int32(level), option, value)
    }

    static func get(_ raw: Int32, _ level: Int32, _ option: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(raw, level, option, &value, &length)
        return value
    }
}

/// A connection that came in.
struct AcceptedSocket: ~Copyable {
    let descriptor: Descriptor
    /// Of the caller; a Unix socket's caller has none.
    let peer: SocketAddress

    consuming func takeDescriptor() -> Descriptor { descriptor }
}
