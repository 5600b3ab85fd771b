// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Whether this kernel and the sandbox of the tests permit io_uring(7) at all.
let permitsRings = (try? SubmissionRing()) != nil

@Suite(.enabled(if: permitsRings)) struct SubmissionRingTests {
    /// Connected sockets that would block if they were waited for: the ring must not.
    private struct Sockets: ~Copyable {
        let near: Descriptor
        let far: Descriptor

        init() throws(SystemError) {
            var ends: [Int32] = [0, 0]
            guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
                throw SystemError("socketpair")
            }
            near = Descriptor(owning: ends[0])
            far = Descriptor(owning: ends[1])
        }
    }

    @Test func `calls are made in order and each is told its own result, again and again`() throws {
        var ring = try SubmissionRing()
        let sockets = try Sockets()
        for round in 0..<3 * SubmissionRing.size {
            let sent: [UInt8] = [UInt8(truncatingIfNeeded: round), 7]
            var received = [UInt8](repeating: 0, count: 8)
            let made = unsafe sent.withUnsafeBytes { sent in
                unsafe received.withUnsafeMutableBytes { received in
                    unsafe ring.send(sockets.near.raw, sent, place: 3)
                    unsafe ring.receive(sockets.far.raw, received, place: 1)
                    return ring.submit()
                }
            }
            try #require(made == 2)
            try #require(received == sent + [0, 0, 0, 0, 0, 0])
            let results = (0..<4).map { ring.takeResult(of: $0) }
            try #require(results == [0, 2, 0, 2])
            try #require(ring.takeResult(of: 1) == 0, "a result was told twice")
        }
    }

    @Test func `as many as fit are made at once`() throws {
        var ring = try SubmissionRing()
        let sockets = try Sockets()
        let byte: [UInt8] = [1]
        for _ in 0..<2 {
            let made = unsafe byte.withUnsafeBytes { byte in
                for place in 0..<SubmissionRing.size { unsafe ring.send(sockets.near.raw, byte, place: place) }
                return ring.submit()
            }
            #expect(made == SubmissionRing.size)
            #expect((0..<SubmissionRing.size).allSatisfy { ring.takeResult(of: $0) == 1 })
            var waiting: Int32 = 0
            #expect(unsafe ioctl(sockets.far.raw, UInt(FIONREAD), &waiting) == 0 && waiting > 0)
        }
    }

    @Test func `what fails, or would have to wait, is left undone and harms no other`() async {
        // In a process of its own, which a signal would end.
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            var ring = try SubmissionRing()
            let sockets = try Sockets()
            let broken = try Sockets()
            shutdown(broken.far.raw, Int32(SHUT_RDWR))
            let pipe = try SplicePipe(countedBy: SplicePipe.Tally())
            let text: [UInt8] = [1, 2, 3]
            var room = [UInt8](repeating: 0, count: 4)
            let made = unsafe text.withUnsafeBytes { text in
                unsafe room.withUnsafeMutableBytes { room in
                    unsafe ring.receive(sockets.far.raw, room, place: 0)
                    unsafe ring.send(broken.near.raw, text, place: 1)
                    unsafe ring.send(-1, text, place: 2)
                    unsafe ring.send(pipe.writeEnd.raw, text, place: 3)
                    unsafe ring.send(sockets.near.raw, text, place: 4)
                    return ring.submit()
                }
            }
            try #require(made == 5)
            let results = (0..<5).map { ring.takeResult(of: $0) }
            try #require(results == [-EAGAIN, -EPIPE, -EBADF, -ENOTSOCK, 3].map(Int.init), "\(results)")
        }
    }

    @Test func `a ring closes its descriptor`() async {
        await #expect(processExitsWith: .success) {
            try await DescriptorCount.staysTheSame { _ = try SubmissionRing() }
        }
    }
}
