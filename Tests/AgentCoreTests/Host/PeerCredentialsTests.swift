// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc
import Testing

@testable import AgentCore

@Suite struct PeerCredentialsTests {
    @Test func `a Unix socket tells the uid, gid and pid of its peer`() throws {
        var ends: [Int32] = [0, 0]
        let made = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        #expect(made == 0)
        defer { for end in ends { close(end) } }
        let peer = try PeerCredentials.ofUnixPeer(ends[0])
        #expect(peer == PeerCredentials(uid: getuid(), gid: getgid(), pid: getpid()))
    }

    /// A caller in a PID namespace that is not below the agent's has no process there, and a user all the same.
    @Test(arguments: [(0, 1000, true), (0, 0, true), (7, 1000, true), (0, UInt32.max, false)])
    func `the user of a peer is known without its process`(pid: Int32, uid: UInt32, isKnown: Bool) {
        let peer = PeerCredentials(clinux_ucred(pid: pid, uid: uid, gid: 5))
        #expect(peer == (isKnown ? PeerCredentials(uid: uid, gid: 5, pid: pid == 0 ? nil : pid) : nil))
    }

    @Test func `a socket that is not connected has no peer`() {
        let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(raw) }
        #expect(throws: SystemError.self) { try PeerCredentials.ofUnixPeer(raw) }
        #expect(throws: SystemError.self) { try PeerCredentials.ofUnixPeer(-1) }
    }

    @Test func `a TCP socket has no peer credentials`() throws {
        let listener = try LoopbackListener()
        let client = try listener.connect()
        let server = try listener.accept()
        #expect(throws: SystemError.self) { try PeerCredentials.ofUnixPeer(server.raw) }
        _ = client.raw
    }
}

@Suite struct SocketDiagnosisTests {
    let diagnosis: SocketDiagnosis

    init() throws {
        diagnosis = try SocketDiagnosis()
    }

    /// Listener, whether it takes IPv4 as well, and the client's family.
    @Test(arguments: [(AF_INET, false, AF_INET), (AF_INET6, false, AF_INET6), (AF_INET6, true, AF_INET)])
    func `the owner of the peer's end is told`(family: Int32, takesIPv4: Bool, clientFamily: Int32) throws {
        let listener = try LoopbackListener(family: family, takesIPv4: takesIPv4)
        let client = try listener.connect(over: clientFamily)
        let server = try listener.accept()
        #expect(try diagnosis.peerOwner(of: server.raw) == getuid())
        #expect(try diagnosis.peerOwner(of: client.raw) == getuid())
    }

    @Test(
        .enabled(if: getuid() == 0, "only root can start a process of another user"),
        arguments: [(AF_INET, "127.0.0.1"), (AF_INET6, "::1")])
    func `a peer of another user is told from ours`(family: Int32, host: String) throws {
        let listener = try LoopbackListener(family: family)
        let script = "exec 3<>/dev/tcp/\(host)/\(listener.port); read line"
        let helper = try HelperProcess(
            ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "bash", "-c", script])
        let server = try listener.accept()
        #expect(try diagnosis.peerOwner(of: server.raw) == 12345)
        withExtendedLifetime(helper) {}
    }

    @Test func `a peer that has shut down its sending side is still known`() throws {
        let listener = try LoopbackListener()
        let client = try listener.connect()
        let server = try listener.accept()
        #expect(shutdown(client.raw, Int32(SHUT_WR)) == 0)
        #expect(try diagnosis.peerOwner(of: server.raw) == getuid())
    }

    @Test func `a peer that has closed its socket is refused`() throws {
        let listener = try LoopbackListener()
        let client = try listener.connect()
        let server = try listener.accept()
        close(client.release())
        let failure = #expect(throws: PeerUnknown.self) { try diagnosis.peerOwner(of: server.raw) }
        #expect(failure?.description.hasPrefix("peer 127.0.0.1:") == true)
        // The same socket goes on with the next question.
        let next = try listener.connect()
        let other = try listener.accept()
        #expect(try diagnosis.peerOwner(of: other.raw) == getuid())
        _ = next.raw
    }

    @Test func `a connection reset by its peer is refused`() throws {
        let listener = try LoopbackListener()
        let client = try listener.connect()
        let server = try listener.accept()
        var reset = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(client.raw, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
        close(client.release())
        #expect(throws: PeerUnknown.self) { try diagnosis.peerOwner(of: server.raw) }
    }

    @Test func `a listener or a Unix socket has no peer to ask for`() throws {
        let listener = try LoopbackListener()
        #expect(throws: PeerUnknown.self) { try diagnosis.peerOwner(of: listener.descriptor.raw) }
        var ends: [Int32] = [0, 0]
        let made = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        #expect(made == 0)
        defer { for end in ends { close(end) } }
        #expect(throws: PeerUnknown.self) { try diagnosis.peerOwner(of: ends[0]) }
    }
}
