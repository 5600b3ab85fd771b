// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc
import Testing

@testable import AgentCore

/// Large content of known length, which the kernel moves from socket to socket: as exact as what is copied, and cut as
/// visibly.
@Suite(.timeLimit(.minutes(1)))
struct SplicedBodyTests {
    private static let threshold = Int(BodyRelay.spliceThreshold)
    private static let pipe = SplicePipe.size

    /// Around the length from which content is spliced, and the lengths of blocks and pipes.
    static let sizes = [
        threshold - 1, threshold, threshold + 1, threshold + BufferPool.blockSize, threshold + pipe - 1, 3 * pipe,
        3 * pipe + 1, 5_000_003,
    ]

    private static func connect(_ agent: AgentUnderTest, isUnix: Bool) throws -> Wire {
        try isUnix ? agent.connectUnix() : agent.connect()
    }

    /// Asks for an answer of `length` bytes, of which so many come from a thread, and reads its head.
    private static func beginAnswer(
        _ length: Int, sending count: Int, _ agent: AgentUnderTest, _ upstream: ScriptedUpstream
    ) throws -> (caller: Wire, server: Wire, writer: JoinableThread) {
        let caller = try agent.connect()
        try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let server = try upstream.accept()
        _ = try server.head()
        let writer = onThread {
            try? server.send("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n")
            try? Pattern.send(count, to: server)
        }
        _ = try caller.head()
        return (caller, server, writer)
    }

    @Test(arguments: sizes, [false, true])
    func `an answer arrives exactly, and the connections go on`(_ size: Int, isUnix: Bool) async throws {
        try await withGateway { agent, upstream in
            let caller = try Self.connect(agent, isUnix: isUnix)
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            for round in 0..<2 {
                _ = try server.head()
                let writer = onThread {
                    try? server.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                    try? Pattern.send(size, to: server)
                }
                _ = try caller.head()
                #expect(try Pattern.receive(size, from: caller))
                writer.join()
                if round == 0 { try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n") }
            }
            #expect(!upstream.isCalled)
        }
    }

    @Test(arguments: sizes, [0, 300_000])
    func `a request arrives exactly, whatever is kept of it, and the next one behind it`(
        _ size: Int, kept: Int
    ) async throws {
        try await withGateway(route: { $0.replayBodyBytes = kept }) { agent, upstream in
            let caller = try agent.connect()
            let writer = onThread {
                let head = "POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(size)\r\n\r\n"
                // In one piece: what is behind the content must not be taken with it.
                let next = "GET /api/next HTTP/1.1\r\nHost: localhost\r\n\r\n"
                try? caller.send(Array(head.utf8) + Pattern.bytes(size) + Array(next.utf8))
            }
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try server.receive(size) == Pattern.bytes(size))
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try caller.answer().body == "ok")
            #expect(try server.head().hasPrefix("GET /v1/next "))
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
            #expect(try caller.answer().body == "next")
            writer.join()
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `pieces of any size, in both directions at once, arrive as they were sent`(_ seed: UInt64) async throws {
        let size = 3_000_000
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            let requests = onThread {
                try? caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(size)\r\n\r\n")
                try? Self.send(Pattern.bytes(size), inPiecesOf: seed &+ 100, to: caller)
            }
            let server = try upstream.accept()
            _ = try server.head()
            let answers = onThread {
                try? server.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                try? Self.send(Pattern.bytes(size), inPiecesOf: seed, to: server)
            }
            let isExact = Shared(false)
            let reader = onThread {
                let isEqual = (try? server.receive(size) == Pattern.bytes(size)) ?? false
                isExact.update { $0 = isEqual }
            }
            _ = try caller.head()
            #expect(try caller.receive(size) == Pattern.bytes(size))
            for thread in [requests, answers, reader] { thread.join() }
            #expect(isExact.value)
        }
    }

    /// Now single bytes, now more than a pipe holds.
    private static func send(_ content: [UInt8], inPiecesOf seed: UInt64, to wire: Wire) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        var sent = 0
        while sent < content.count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            let count = min(content.count - sent, 1 + Int(state >> 32) % (1 << (state % 20)))
            try wire.send(Array(content[sent..<sent + count]))
            sent += count
        }
    }

    @Test func `bytes behind an answer reach nobody`() async throws {
        let size = 1_000_000
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            let writer = onThread {
                let head = "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"
                let stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
                try? server.send(Array(head.utf8) + Pattern.bytes(size) + Array(stray.utf8))
            }
            _ = try caller.head()
            #expect(try caller.receive(size) == Pattern.bytes(size))
            writer.join()
            // Whoever says what nobody asked for is not used again.
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let other = try upstream.accept()
            _ = try other.head()
            try other.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try caller.answer().body == "ok")
        }
    }

    @Test(arguments: [Wire.End.orderly, .reset])
    func `an answer that is cut is cut for the caller`(_ end: Wire.End) async throws {
        try await withGateway { agent, upstream in
            let (caller, server, writer) = try Self.beginAnswer(3_000_000, sending: 999_983, agent, upstream)
            #expect(try Pattern.receive(999_983, from: caller))
            writer.join()
            if end == .reset { server.reset() } else { server.close() }
            #expect(try caller.rest() == ("", .reset))
        }
    }

    @Test func `a request that is cut is cut for the upstream`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            let writer = onThread {
                try? caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n")
                try? Pattern.send(999_983, to: caller)
            }
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try server.receive(999_983) == Pattern.bytes(999_983))
            writer.join()
            caller.close()
            #expect(try server.rest().text.isEmpty)
        }
    }

    @Test func `an answer that comes in the middle of a large request reaches the caller`() async throws {
        try await withGateway { agent, upstream in
            upstream.serve { server in
                _ = try server.head()
                _ = try server.receive(2_000_000)
                try server.send("HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\nConnection: close\r\n\r\nlarge!")
                // Takes no more, and stays.
                _ = try server.end()
            }
            let caller = try agent.connect()
            let writer = onThread {
                try? caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n")
                try? Pattern.send(50_000_000, to: caller)
            }
            let answer = try caller.answer()
            #expect(answer.status == 413)
            #expect(answer.body == "large!")
            caller.shutdownWriting()
            writer.join()
        }
    }

    // MARK: Pipes

    /// What is in each pipe of this process that is as large as those for splicing; in a process of the test's own.
    private static var pipes: [Int32] {
        var found: [ino_t: Int32] = [:]
        for descriptor: Int32 in 0..<1_024
        where fcntl(descriptor, Int32(CLINUX_F_GETPIPE_SZ), 0) == Int32(SplicePipe.size) {
            var status = stat()
            var count: Int32 = 0
            guard unsafe fstat(descriptor, &status) == 0, unsafe ioctl(descriptor, UInt(FIONREAD), &count) == 0 else {
                continue
            }
            found[status.st_ino] = count
        }
        return Array(found.values)
    }

    /// Reads until a pipe is stuck with bytes: a stream may also stop with its last block copied, and the next piece that
    /// the kernel takes leads on to a pipe.
    ///
    /// - Returns: what was read, and what is in each pipe.
    private static func readUntilStuck(_ caller: Wire, _ agent: AgentUnderTest) throws -> ([UInt8], pipes: [Int32]) {
        let other = try agent.connect()
        var (read, held): ([UInt8], [Int32]) = ([], [])
        while held.allSatisfy({ $0 == 0 }) {
            read += try caller.receive(65_536)
            // An answer means that the loop has been through the events that came before the question.
            _ = try other.get("/-/healthy")
            held = pipes
        }
        return (read, held)
    }

    @Test func `a reader that stops holds one pipe, and gets everything when it goes on`() async {
        await #expect(processExitsWith: .success) {
            let size = 30_000_000
            try await withGateway { configuration, _ in
                configuration.threads = 1
            } _: { agent, upstream in
                let (caller, _, writer) = try Self.beginAnswer(size, sending: size, agent, upstream)
                let (first, held) = try Self.readUntilStuck(caller, agent)
                try #require(held.count == 1 && held[0] > 0 && held[0] <= SplicePipe.size, "\(held)")
                let rest = try caller.receive(size - first.count)
                try #require(first + rest == Pattern.bytes(size))
                writer.join()
                _ = try caller.get("/-/healthy")
                try #require(Self.pipes.allSatisfy { $0 == 0 })
            }
        }
    }

    @Test func `a caller that leaves in the middle leaves no descriptor behind`() async {
        await #expect(processExitsWith: .success) {
            try await DescriptorCount.staysTheSame {
                try await withGateway { configuration, _ in
                    configuration.threads = 1
                } _: { agent, upstream in
                    let size = 1_000_000_000
                    let (caller, _, writer) = try Self.beginAnswer(size, sending: size, agent, upstream)
                    _ = try Self.readUntilStuck(caller, agent)
                    caller.reset()
                    // It ends because the agent has left it.
                    writer.join()
                }
                try #require(Self.pipes.isEmpty)
            }
        }
    }
}
