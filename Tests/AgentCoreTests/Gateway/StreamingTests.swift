// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Content on its way: each piece at once, both ways at once, and no more of it in memory than a few blocks.
@Suite(.timeLimit(.minutes(1)))
struct StreamingTests {
    @Test(arguments: [true, false])
    func `each piece of an answer arrives before the next is sent`(isChunked: Bool) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 400"
            try server.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n")
            #expect(try caller.head().hasPrefix("HTTP/1.1 200"))
            for number in 100..<200 {
                let piece = isChunked ? "4\r\n\(number)\n\r\n" : "\(number)\n"
                try server.send(piece)
                #expect(try caller.text(piece.utf8.count) == piece)
            }
            if isChunked {
                try server.send("0\r\n\r\n")
                #expect(try caller.text(5) == "0\r\n\r\n")
            }
        }
    }

    @Test(arguments: [true, false])
    func `each piece of a request arrives before the next is sent`(isChunked: Bool) async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 400"
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\n\(framing)\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            for number in 100..<200 {
                let piece = isChunked ? "4\r\n\(number)\n\r\n" : "\(number)\n"
                try caller.send(piece)
                #expect(try server.text(piece.utf8.count) == piece)
            }
            if isChunked {
                try caller.send("0\r\n\r\n")
                #expect(try server.text(5) == "0\r\n\r\n")
            }
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try caller.answer().body == "ok")
        }
    }

    @Test func `request and answer stream at the same time`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            _ = try caller.head()
            for number in 100..<200 {
                let piece = "3\r\n\(number)\r\n"
                try caller.send(piece)
                #expect(try server.text(8) == piece)
                try server.send(piece)
                #expect(try caller.text(8) == piece)
            }
            try caller.send("0\r\n\r\n")
            #expect(try server.text(5) == "0\r\n\r\n")
            try server.send("0\r\n\r\n")
            #expect(try caller.text(5) == "0\r\n\r\n")
        }
    }

    @Test func `chunk heads and trailers may come byte by byte, in both directions`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            let server = try {
                try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
                return try upstream.accept()
            }()
            _ = try server.head()
            for byte in "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n".utf8 { try caller.send([byte]) }
            // In which pieces the content goes on is the agent's affair.
            let sent = try server.receive(through: "X-Sum: 1\r\n\r\n")
            #expect(sent.hasSuffix("0\r\nX-Sum: 1\r\n\r\n"))
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            _ = try caller.head()
            for byte in "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n".utf8 { try server.send([byte]) }
            #expect(try caller.receive(through: "X-Sum: 1\r\n\r\n").hasSuffix("0\r\nX-Sum: 1\r\n\r\n"))
        }
    }

    @Test func `a caller's trailers hold nothing that its head may not`() async throws {
        try await withGateway(route: { $0.strippedFields = ["X-Secret"] }) { agent, upstream in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            try caller.send("0\r\nX-Secret: evil\r\nX-Sum: 1\r\nX-Forwarded-Groups: root\r\nX-Api-Key: evil\r\n\r\n")
            #expect(try server.receive(through: "\r\n\r\n") == "0\r\nX-Sum: 1\r\n\r\n")
        }
    }

    @Test func `a trailer section that pauses in the middle is waited for`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Su")
            #expect(try caller.receive(through: "abc\r\n").hasSuffix("abc\r\n"))
            try server.send("m: 1\r\n\r\n")
            #expect(try caller.receive(through: "\r\n\r\n") == "0\r\nX-Sum: 1\r\n\r\n")
        }
    }

    @Test func `a stream that goes on is never cut for its age`() async throws {
        let idle: Int64 = 1_500_000_000
        try await withGateway(route: { $0.timeouts.idle = .nanoseconds(idle) }) { agent, upstream in
            for attempt in 1...5 {
                var stream = AgingStream()
                do {
                    try stream.run(for: idle * 7 / 3, agent, upstream)
                    return
                } catch {
                    // Where the machine stood still the agent may have been right to cut it: that says nothing.
                    guard stream.longestGap() >= idle / 2, attempt < 5 else { throw error }
                }
            }
        }
    }

    /// A stream of small pieces, with the longest time in which none may have come to the agent.
    private struct AgingStream {
        private var lastSent = SystemClock.monotonic()
        private var longest: Int64 = 0

        /// Of those so far, and of that which goes on.
        func longestGap() -> Int64 { max(longest, SystemClock.monotonic() - lastSent) }

        mutating func run(for length: Int64, _ agent: AgentUnderTest, _ upstream: ScriptedUpstream) throws {
            let caller = try agent.connect()
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            lastSent = SystemClock.monotonic()
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            _ = try caller.head()
            let start = SystemClock.monotonic()
            while SystemClock.monotonic() - start < length {
                longest = longestGap()
                lastSent = SystemClock.monotonic()
                try server.send("1\r\nx\r\n")
                let piece = try caller.text(6)
                #expect(piece == "1\r\nx\r\n")
            }
            longest = longestGap()
            lastSent = SystemClock.monotonic()
            try server.send("0\r\n\r\n")
            let last = try caller.text(5)
            #expect(last == "0\r\n\r\n")
        }
    }

    @Test func `a caller that does not read stops the upstream`() async throws {
        try await withGateway { configuration, _ in
            configuration.threads = 1
        } _: { agent, upstream in
            let caller = try agent.connect()
            var size: Int32 = 65_536
            unsafe setsockopt(caller.descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
            try caller.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            try server.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            _ = try caller.head()
            #expect(try Self.fill(server, of: agent) < 64 << 20)
            // And it goes on when the caller reads.
            while server.sendWithoutWaiting([1]) == 0 { _ = try caller.some() }
        }
    }

    @Test func `an upstream that does not read stops the caller`() async throws {
        try await withGateway { configuration, _ in
            configuration.threads = 1
        } _: { agent, upstream in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try Self.fill(caller, of: agent) < 64 << 20)
            while caller.sendWithoutWaiting([1]) == 0 { _ = try server.some() }
        }
    }

    /// Sends until nothing more is taken, however often the agent's one loop goes round.
    ///
    /// - Returns: the bytes taken: what the kernel and the agent hold together.
    static func fill(_ wire: Wire, of agent: AgentUnderTest) throws -> Int {
        let block = [UInt8](repeating: 7, count: 65_536)
        let other = try agent.connect()
        var taken = 0
        var idleTurns = 0
        while taken < 64 << 20, idleTurns < 200 {
            let count = wire.sendWithoutWaiting(block)
            taken += count
            idleTurns = count == 0 ? idleTurns + 1 : 0
            // An answer means that the loop has been through the events that came before the question.
            if count == 0 { _ = try other.get("/-/healthy") }
        }
        return taken
    }

    @Test(arguments: [false, true])
    func `a hundred megabytes arrive whole in both directions at once`(isTLS: Bool) async throws {
        let world = isTLS ? try TLSWorld() : nil
        let size = isTLS ? 30_000_000 : 100_000_000
        try await withGateway(tls: world) { agent, upstream in
            let results = Shared<[String: Bool]>([:])
            upstream.serve { server in
                _ = try server.head()
                let reader = onThread {
                    results.update { $0["up"] = (try? Pattern.receive(size, from: server)) ?? false }
                }
                // TLS may be used by one thread at a time.
                if isTLS { reader.join() }
                try server.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                try Pattern.send(size, to: server)
                reader.join()
            }
            let caller = try agent.connect()
            let writer = onThread {
                try? caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(size)\r\n\r\n")
                try? Pattern.send(size, to: caller)
            }
            #expect(try caller.head().hasPrefix("HTTP/1.1 200"))
            #expect(try Pattern.receive(size, from: caller))
            writer.join()
            #expect(results.value["up"] == true)
        }
    }

    @Test func `an answer that comes while the request is under way reaches the caller whole`() async throws {
        try await withGateway { agent, upstream in
            let caller = try agent.connect()
            try caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\nbegin")
            let server = try upstream.accept()
            _ = try server.head()
            #expect(try server.text(5) == "begin")
            try server.send("HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\n\r\nlarge!")
            let answer = try caller.answer()
            #expect(answer.status == 413)
            #expect(answer.body == "large!")
            #expect(answer.field("connection") == "close")
            // Neither connection is used again: what is still to come of the content would be taken for a request.
            caller.close()
            _ = try server.end()
            let next = try agent.connect()
            try next.send("GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try upstream.accept().head()
            next.close()
        }
    }

    @Test func `a caller that goes on sending after an early answer still gets all of it`() async throws {
        try await withGateway { agent, upstream in
            upstream.serve { server in
                _ = try server.head()
                try server.send("HTTP/1.1 413 Too Large\r\nContent-Length: 300000\r\n\r\n")
                try server.send([UInt8](repeating: 65, count: 300_000))
                // Reads no more, and leaves with what was sent unread: a reset.
                server.close()
            }
            let caller = try agent.connect()
            let writer = onThread {
                try? caller.send("POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n")
                try? caller.send([UInt8](repeating: 66, count: 8_000_000))
            }
            let answer = try caller.answer()
            #expect(answer.status == 413)
            // The upstream's own reset may overtake its answer; whatever comes is whole or visibly cut.
            #expect(answer.isWhole == (answer.body.utf8.count == 300_000))
            caller.shutdownWriting()
            writer.join()
        }
    }
}

/// Content that is known at every place, without being kept.
enum Pattern {
    private static let block: [UInt8] = {
        var state: UInt32 = 0x1234_5678
        // A prime length, so that no shift by a block of the agent's goes unseen.
        return (0..<999_983).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }()

    /// The first bytes of it.
    static func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count { bytes += block.prefix(count - bytes.count) }
        return bytes
    }

    static func send(_ size: Int, to wire: Wire) throws {
        var rest = size
        while rest > 0 {
            let count = min(rest, block.count)
            try wire.send(count == block.count ? block : Array(block[..<count]))
            rest -= count
        }
    }

    static func receive(_ size: Int, from wire: Wire) throws -> Bool {
        var received = 0
        while received < size {
            let bytes = try wire.some()
            if bytes.isEmpty { return false }
            var start = 0
            while start < bytes.count {
                let place = (received + start) % block.count
                let count = min(bytes.count - start, block.count - place)
                let isEqual = unsafe bytes.withUnsafeBytes { bytes in
                    unsafe block.withUnsafeBytes { block in
                        unsafe memcmp(bytes.baseAddress! + start, block.baseAddress! + place, count) == 0
                    }
                }
                guard isEqual else { return false }
                start += count
            }
            received += bytes.count
        }
        return received == size
    }
}
