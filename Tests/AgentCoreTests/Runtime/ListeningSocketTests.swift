// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct ListeningSocketTests {
    /// What a killed agent leaves. It never listened: a child that another test is about to start may hold the descriptor
    /// for a moment, and would seem to.
    private static func leave(at path: String) throws {
        let address = try #require(SocketAddress(unixPath: path))
        let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(raw) }
        guard unsafe address.withSockaddr({ unsafe bind(raw, $0, $1) }) == 0 else {
            throw SystemError("bind", on: path)
        }
    }

    @Test func `a leftover socket file is replaced, and removed at the end`() async throws {
        let folder = ScratchFolder()
        let path = folder.path("agent.sock")
        try Self.leave(at: path)
        #expect(unsafe access(path, F_OK) == 0)
        do {
            let socket = try ListeningSocket(unixPath: path, mode: 0o660)
            var status = stat()
            #expect(unsafe stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o660)
            #expect(socket.address.unixPath == path)
        }
        #expect(unsafe access(path, F_OK) != 0)
    }

    @Test func `a path where somebody listens is left alone`() async throws {
        let folder = ScratchFolder()
        let path = folder.path("agent.sock")
        // Somebody who knows nothing of locks.
        let first = try Socket.listen(on: #require(SocketAddress(unixPath: path)))
        let failure = #expect(throws: ListenFailure.self) { _ = try ListeningSocket(unixPath: path, mode: 0o600) }
        #expect(
            failure?.description
                == "another process is listening on \(path); stop it or choose another path")
        #expect(first.raw >= 0)
        #expect(folder.names() == ["agent.sock"])
    }

    @Test func `an agent that has the path, or is about to, is left alone and named`() throws {
        let folder = ScratchFolder()
        let path = folder.path("agent.sock")
        // A leftover, which the other one has found silent and is about to replace.
        try Self.leave(at: path)
        do {
            let other = try SocketPath(path)
            let failure = #expect(throws: ListenFailure.self) { _ = try ListeningSocket(unixPath: path, mode: 0o600) }
            #expect(
                failure?.description
                    == "another agent (process \(getpid())) has \(path), by its lock on \(path).lock; stop it or choose another path"
            )
            #expect(other.path == path)
            #expect(folder.names() == ["agent.sock", "agent.sock.lock"])
        }
        let first = try ListeningSocket(unixPath: path, mode: 0o600)
        #expect(throws: ListenFailure.self) { _ = try ListeningSocket(unixPath: path, mode: 0o600) }
        #expect((try? Wire(to: first.address)) != nil)
    }

    @Test func `of many agents begun at once one has the path, and serves there`() async throws {
        let folder = ScratchFolder()
        let path = folder.path("agent.sock")
        for _ in 0..<50 {
            try Self.leave(at: path)
            let sockets: [ListeningSocket] = await withTaskGroup(of: ListeningSocket?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        await EventLoop.offload { try? ListeningSocket(unixPath: path, mode: 0o600) }
                    }
                }
                return await group.reduce(into: []) { if let socket = $1 { $0.append(socket) } }
            }
            #expect(sockets.count == 1)
            #expect((try? Wire(to: #require(SocketAddress(unixPath: path)))) != nil)
            // Not left to the last reference, which the thread that began it may hold for a moment.
            for socket in sockets { socket.refuseCallers() }
            #expect(folder.names().isEmpty)
        }
    }

    @Test func `the lock of an agent that was killed is no obstacle, and one that ends leaves nothing`() throws {
        let folder = ScratchFolder()
        let path = folder.path("agent.sock")
        folder.write("4000000\n", to: "agent.sock.lock")
        do {
            let socket = try ListeningSocket(unixPath: path, mode: 0o600)
            #expect(socket.address.unixPath == path)
            #expect(folder.read("agent.sock.lock") == "\(getpid())\n")
        }
        #expect(folder.names().isEmpty)
    }

    @Test func `an agent that drains leaves the path to the next one`() throws {
        let folder = ScratchFolder()
        let path = folder.path("agent.sock")
        do {
            let old = try ListeningSocket(unixPath: path, mode: 0o600)
            old.refuseCallers()
            #expect(folder.names().isEmpty)
            let new = try ListeningSocket(unixPath: path, mode: 0o600)
            withExtendedLifetime(old) {}
            #expect((try? Wire(to: new.address)) != nil)
        }
        #expect(folder.names().isEmpty)
    }

    @Test func `a lock file that cannot be opened is named with the repair`() throws {
        let folder = ScratchFolder()
        unsafe _ = symlink("elsewhere", folder.path("agent.sock.lock"))
        let failure = #expect(throws: ListenFailure.self) {
            _ = try ListeningSocket(unixPath: folder.path("agent.sock"), mode: 0o600)
        }
        #expect(failure?.description.hasPrefix("open \(folder.path("agent.sock.lock")): Too many") == true)
        #expect(failure?.description.contains("remove that file") == true)
        #expect(folder.names() == ["agent.sock.lock"])
    }

    @Test func `a file that is no socket is never removed`() async throws {
        let folder = ScratchFolder()
        let path = folder.path("precious")
        close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
        let failure = #expect(throws: ListenFailure.self) { _ = try ListeningSocket(unixPath: path, mode: 0o600) }
        #expect(failure?.description == "\(path) exists and is not a socket; remove it or choose another path")
        #expect(unsafe access(path, F_OK) == 0)
    }

    @Test func `a path too long for unix(7) is refused with both lengths`() throws {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        let failure = #expect(throws: ListenFailure.self) { _ = try ListeningSocket(unixPath: path, mode: 0o600) }
        #expect(failure?.description.contains("has 125 bytes; unix(7) allows 1 to 107") == true)
    }
}
