// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc
import Testing

@testable import AgentCore

@Suite struct SystemdActivationTests {
    private func examine(
        _ descriptor: Int32, _ name: String = "http", allowing public: [SocketAddress] = []
    ) throws -> PassedSocket {
        try SystemdActivation.examine(descriptor, named: name, allowing: `public`)
    }

    private func reason(_ descriptor: Int32, _ name: String = "http") -> String {
        let failure = #expect(throws: ActivationFailure.self) { try examine(descriptor, name) }
        return failure?.description ?? ""
    }

    @Test func `without socket activation nothing is taken`() throws {
        #expect(try SystemdActivation.take().isEmpty)
    }

    @Test(arguments: [AF_INET, AF_INET6])
    func `a listening socket on the loopback is taken, and made non-blocking`(family: Int32) throws {
        let listener = try LoopbackListener(family: family)
        let socket = try examine(listener.descriptor.raw)
        #expect(socket.family == .tcp)
        #expect(socket.name == "http")
        #expect(socket.address.hasSuffix(":\(listener.port)"))
        #expect(fcntl(listener.descriptor.raw, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(listener.descriptor.raw, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func `a socket that other hosts reach is refused unless that is allowed`() throws {
        let listener = try LoopbackListener(family: AF_INET6, takesIPv4: true)
        let text = reason(listener.descriptor.raw)
        #expect(text.contains("listens at [::]:\(listener.port), where other hosts reach it"), "\(text)")
        #expect(text.contains("ListenStream=127.0.0.1:\(listener.port)"))
        let address = try #require(SocketAddress(ip: "::", port: listener.port))
        #expect(try examine(listener.descriptor.raw, allowing: [address]).family == .tcp)
    }

    @Test func `a Unix socket is told from a TCP one`() throws {
        let folder = ScratchFolder()
        let listener = try UnixSocket(.stream, at: folder.path("s"))
        #expect(listen(listener.descriptor.raw, 1) == 0)
        let socket = try examine(listener.descriptor.raw, "unix")
        #expect(socket.family == .unix)
        #expect(try examine(listener.descriptor.raw, "of-the-administrator").family == .unix)
        #expect(socket.address == "unix:\(folder.path("s"))")
    }

    @Test func `a socket of another family than its name promises is refused`() throws {
        let listener = try LoopbackListener(family: AF_INET)
        let text = reason(listener.descriptor.raw, "unix")
        #expect(text.contains("no Unix socket"), "\(text)")
        #expect(text.contains("ListenStream=/run/"))
    }

    @Test func `a datagram socket, one that does not listen and no socket at all are refused`() throws {
        let folder = ScratchFolder()
        let datagram = try UnixSocket(.datagram, at: folder.path("d"))
        #expect(reason(datagram.descriptor.raw).contains("no listening stream socket"))
        let idle = try UnixSocket(.stream, at: folder.path("i"))
        #expect(reason(idle.descriptor.raw).contains("ListenStream="))
        #expect(reason(-1).contains("no listening stream socket"))
    }
}

// The environment belongs to the whole process: nothing else in it reads NOTIFY_SOCKET.
@Suite(.serialized) struct SystemdNotifierTests {
    @Test func `each state arrives as systemd reads it`() throws {
        let folder = ScratchFolder()
        let manager = try UnixSocket(.datagram, at: folder.path("notify"))
        #expect(SystemdNotifier.ready(status: "nobody listens") == false)
        unsafe setenv("NOTIFY_SOCKET", folder.path("notify"), 1)
        defer { unsafe unsetenv("NOTIFY_SOCKET") }
        #expect(SystemdNotifier.ready(status: "serving\nREADY=0"))
        #expect(manager.receive() == "READY=1\nSTATUS=serving READY=0")
        #expect(SystemdNotifier.reloading())
        let reloading = manager.receive().split(separator: "\n")
        #expect(reloading.first == "RELOADING=1")
        #expect(reloading.last?.hasPrefix("MONOTONIC_USEC=") == true)
        #expect(SystemdNotifier.stopping(status: "draining 3 calls"))
        #expect(manager.receive() == "STOPPING=1\nSTATUS=draining 3 calls")
        #expect(SystemdNotifier.watchdog())
        #expect(manager.receive() == "WATCHDOG=1")
        #expect(SystemdNotifier.extendTimeout(by: .seconds(5)))
        #expect(manager.receive() == "EXTEND_TIMEOUT_USEC=5000000")
        #expect(SystemdNotifier.watchdogInterval == nil)
    }

    @Test func `a manager that is gone hurts nobody`() {
        unsafe setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1)
        defer { unsafe unsetenv("NOTIFY_SOCKET") }
        #expect(SystemdNotifier.status("x") == false)
    }

    private func entry(_ name: String) -> JournalEntry {
        JournalEntry(priority: .info, message: "test", fields: [JournalEntry.Field(name: name, value: "x")])
    }

    @Test(arguments: ["lower", "_TRUSTED", "", "1ST", "WITH SPACE", "A=B"])
    func `a journal field that would be dropped in silence is refused`(name: String) {
        #expect(SystemdJournal.send(entry(name)) == false)
    }
}

/// A Unix socket bound to a path.
struct UnixSocket: ~Copyable {
    enum Kind {
        case stream, datagram
    }

    let descriptor: Descriptor

    init(_ kind: Kind, at path: String) throws {
        let type = kind == .stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
        let raw = socket(AF_UNIX, Int32(type | SOCK_CLOEXEC.rawValue), 0)
        descriptor = Descriptor(owning: raw)
        guard let address = SocketAddress(unixPath: path),
            unsafe address.withSockaddr({ unsafe bind(raw, $0, $1) }) == 0
        else { throw SystemError("bind", on: path) }
    }

    func receive() -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor.raw, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return count < 0 ? "" : String(decoding: bytes[..<count], as: UTF8.self)
    }
}
