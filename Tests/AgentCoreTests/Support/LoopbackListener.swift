// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// A blocking TCP listener on the loopback, for tests of single sockets.
struct LoopbackListener: ~Copyable {
    let descriptor: Descriptor
    let family: Int32
    private(set) var port: UInt16 = 0

    /// - Parameter family: `AF_INET`; or `AF_INET6`, which takes IPv4 too when `takesIPv4` is set.
    init(family: Int32 = AF_INET, takesIPv4: Bool = false) throws {
        self.family = family
        let raw = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        descriptor = Descriptor(owning: raw)
        var only: Int32 = takesIPv4 ? 0 : 1
        if family == AF_INET6 {
            unsafe setsockopt(raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &only, socklen_t(MemoryLayout<Int32>.size))
        }
        let bound = unsafe Self.withAddress(family, anyHost: takesIPv4, port: 0) { unsafe bind(raw, $0, $1) }
        guard bound == 0, listen(raw, 8) == 0 else { throw SystemError("listen") }
        var name = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        unsafe withUnsafeMutablePointer(to: &name) { name in
            unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = unsafe getsockname(raw, $0, &length) }
        }
        // The port stands at the same place in both kinds of address.
        port = UInt16(bigEndian: name.sin6_port)
    }

    /// Connects a client over `family`.
    func connect(over family: Int32? = nil) throws -> Descriptor {
        let family = family ?? self.family
        let raw = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let client = Descriptor(owning: raw)
        let connected = unsafe Self.withAddress(family, anyHost: false, port: port) {
            unsafe Glibc.connect(raw, $0, $1)
        }
        guard connected == 0 else { throw SystemError("connect") }
        return client
    }

    func accept() throws -> Descriptor {
        let raw = Glibc.accept(descriptor.raw, nil, nil)
        guard raw >= 0 else { throw SystemError("accept") }
        return Descriptor(owning: raw)
    }

    private static func withAddress(
        _ family: Int32, anyHost: Bool, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        v4.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        v6.sin6_addr = anyHost ? in6addr_any : in6addr_loopback
        if family == AF_INET {
            return unsafe withUnsafePointer(to: &v4) { address in
                unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        return unsafe withUnsafePointer(to: &v6) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}

/// A program that runs beside a test, with standard input to end it by; killed when the test is done with it.
struct HelperProcess: ~Copyable {
    private let pid: pid_t
    private let input: Descriptor

    /// - Parameter command: looked up in PATH.
    init(_ command: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw SystemError("pipe") }
        defer { close(ends[0]) }
        let input = Descriptor(owning: ends[1])
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var pid = pid_t()
        let code = unsafe posix_spawnp(&pid, command[0], &actions, nil, &arguments, environ)
        guard code == 0 else { throw SystemError("posix_spawn", code: code, on: command[0]) }
        self.pid = pid
        self.input = input
    }

    deinit {
        kill(pid, SIGKILL)
        _ = waitpid(pid, nil, 0)
    }
}
