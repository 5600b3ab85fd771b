// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Glibc
import Testing

@testable import AgentCore

/// What many channels read and write in one turn. Each test runs with a ring and without: nothing but the calls may differ.
@Suite struct CrowdedCallsTests {
    /// Channels on a loop to which each turn is a crowded one; all wait for input.
    private static func withPairs<Value: Sendable>(
        _ count: Int, usesRing: Bool,
        _ body: @Sendable (isolated LoopActor, EventLoop, [ChannelPair]) async throws -> Value
    ) async throws -> Value {
        try await LoopActor.with(crowd: .init(events: 0, usesRing: usesRing)) { actor, loop, _ in
            // The first turn has begun before there were any events.
            await Task.yield()
            let pairs = try (0..<count).map { _ in try ChannelPair(on: loop, parker: Parker(on: loop)) }
            defer { for pair in pairs { pair.close() } }
            for pair in pairs { _ = try Self.read(pair) }
            return try await body(actor, loop, pairs)
        }
    }

    /// What the channel gives in one read.
    private static func read(_ pair: ChannelPair) throws -> String {
        var buffer = ByteBuffer()
        switch try pair.channel.read(into: &buffer) {
        case .bytes(let count): return count == buffer.count ? text(of: buffer.readable) : "\(count) are told"
        case .blocked: return buffer.capacity == 0 ? "blocked" : "holds memory"
        case .ended: return "ended"
        }
    }

    /// Whether the kernel still has what was sent.
    private static func waits(_ pair: ChannelPair) -> Bool {
        var byte: UInt8 = 0
        return unsafe recv(pair.channel.rawDescriptor, &byte, 1, Int32(MSG_PEEK)) == 1
    }

    // MARK: Reading

    @Test(arguments: [true, false])
    func `what has come for many is read before any of them goes on`(usesRing: Bool) async throws {
        let count = 2 * SubmissionRing.size + 3
        let failure = try await Self.withPairs(count, usesRing: usesRing) { _, loop, pairs -> String? in
            for round in 0..<3 {
                for (index, pair) in pairs.enumerated() { pair.send("\(round) for \(index)") }
                await Task.yield()
                // One turn brings 256 events; the rest come with the next.
                await Task.yield()
                for (index, pair) in pairs.enumerated() {
                    guard Self.waits(pair) != (usesRing && permitsRings) else { return "\(index) was not read ahead" }
                    let seen = try Self.read(pair)
                    guard seen == "\(round) for \(index)" else { return "\(index) got \(seen)" }
                    guard try Self.read(pair) == "blocked" else { return "\(index) is not empty" }
                }
            }
            let calls = loop.calls.ringCalls
            return calls == (usesRing && permitsRings ? 3 * UInt64(count) : 0) ? nil : "\(calls) calls"
        }
        #expect(failure == nil)
    }

    private static let block = BufferPool.smallSize

    @Test(arguments: [true, false], [1, block - 1, block, block + 1, 100_000])
    func `however much comes, all of it arrives`(usesRing: Bool, size: Int) async throws {
        let isWhole = try await Self.withPairs(2, usesRing: usesRing) { _, _, pairs in
            let text = String(repeating: "0123456789", count: size / 10 + 1).prefix(size)
            for _ in 0..<2 {
                for pair in pairs { pair.send(String(text)) }
                await Task.yield()
                for pair in pairs {
                    var got = ""
                    while got.utf8.count < size {
                        let piece = try Self.read(pair)
                        guard piece != "blocked", piece != "ended" else { return false }
                        got += piece
                    }
                    guard try got == text && Self.read(pair) == "blocked" else { return false }
                }
            }
            return true
        }
        #expect(isWhole)
    }

    @Test(arguments: [true, false])
    func `a large content goes in large pieces, though its beginning came ahead`(usesRing: Bool) async throws {
        let reads = try await Self.withPairs(2, usesRing: usesRing) { _, _, pairs in
            let text = String(repeating: "x", count: 100_000)
            for pair in pairs { pair.send(text) }
            await Task.yield()
            var buffer = ByteBuffer()
            var (total, reads) = (0, 0)
            while total < text.utf8.count {
                guard case .bytes(let count) = try pairs[0].channel.read(into: &buffer) else { break }
                total += count
                reads += 1
                buffer.consume(buffer.count)
            }
            return reads
        }
        // Of a block each, but for the first.
        #expect(reads <= 2 + 100_000 / BufferPool.blockSize)
    }

    @Test(arguments: [true, false])
    func `a connection whose idle bytes came ahead is not kept for the next caller`(usesRing: Bool) async throws {
        let rests = try await Self.withPairs(2, usesRing: usesRing) { _, loop, pairs in
            pairs[1].send("nobody asked")
            pairs[0].send("for this")
            await Task.yield()
            return pairs.map { pair in
                var connection = ClientConnection(pair.channel, on: loop)
                defer { connection.close() }
                return connection.rest()
            }
        }
        #expect(rests == [false, false])
    }

    @Test(arguments: [true, false])
    func `what came ahead joins what its owner has already`(usesRing: Bool) async throws {
        let seen = try await Self.withPairs(2, usesRing: usesRing) { _, _, pairs in
            for pair in pairs { pair.send("and the rest") }
            await Task.yield()
            var buffer = ByteBuffer()
            buffer.append("the beginning ")
            let outcome = try pairs[0].channel.read(into: &buffer)
            return ["\(outcome == .bytes(12))", text(of: buffer.readable)]
        }
        #expect(seen == ["true", "the beginning and the rest"])
    }

    @Test(arguments: [true, false])
    func `a peer that leaves is told behind its last bytes`(usesRing: Bool) async throws {
        let seen = try await Self.withPairs(4, usesRing: usesRing) { _, _, pairs in
            for pair in pairs[0...2] { pair.send("bye") }
            pairs[0].leave()
            pairs[3].leave()
            await Task.yield()
            // This one's bytes are there before it goes.
            pairs[1].leave()
            await Task.yield()
            return try pairs.map { try Self.read($0) + " " + Self.read($0) + " \($0.channel.hasLeft)" }
        }
        #expect(seen == ["bye ended true", "bye ended true", "bye blocked false", "ended ended true"])
    }

    @Test(arguments: [true, false])
    func `nothing is read for whom nobody waits`(usesRing: Bool) async throws {
        let seen = try await Self.withPairs(4, usesRing: usesRing) { _, _, pairs in
            // One in a pool, whose owner looks at what comes itself; one whose owner has not asked again.
            pairs[0].channel.parker = nil
            for pair in pairs { pair.send("one") }
            await Task.yield()
            guard try Self.read(pairs[1]) == "one" else { return [true] }
            for pair in pairs { pair.send("two") }
            await Task.yield()
            return [Self.waits(pairs[0]), Self.waits(pairs[1])]
        }
        #expect(seen == [true, true])
    }

    @Test(arguments: [true, false])
    func `what came ahead goes first where the rest is spliced`(usesRing: Bool) async throws {
        let seen = try await Self.withPairs(3, usesRing: usesRing) { _, loop, pairs in
            guard var pipe = loop.pipes.take(at: 0) else { return ["no pipe"] }
            for pair in pairs[0...1] { pair.send("one|two|") }
            await Task.yield()
            for pair in pairs[0...1] { pair.send("three") }
            var seen: [String] = []
            for limit in [4, 100, 100, 100] {
                let outcome = try pairs[0].channel.splice(into: &pipe.value, atMost: limit)
                _ = try pairs[2].channel.splice(from: &pipe.value)
                seen.append("\(outcome.map { "\($0)" } ?? "nil") \(pairs[2].received ?? "end")")
            }
            let isGivenBack = pairs[0].channel.arrived.capacity == 0
            return [seen.joined(separator: ", "), "\(isGivenBack)"]
        }
        let ahead = "bytes(4) one|, bytes(4) two|, "
        #expect(
            seen == [
                // Without a ring the kernel still has all of it, and has not been asked again when the rest came.
                usesRing && permitsRings
                    ? ahead + "blocked , blocked " : "bytes(4) one|, bytes(9) two|three, blocked , blocked ", "true",
            ])
    }

    @Test(arguments: [true, false])
    func `who is closed by another's event gets nothing, and the others theirs`(usesRing: Bool) async throws {
        let seen = try await Self.withPairs(4, usesRing: usesRing) { _, _, pairs in
            let closed = pairs[1].channel
            pairs[0].channel.parker = nil
            pairs[0].channel.whenIdle = { closed.close() }
            pairs[3].channel.parker = nil
            pairs[3].channel.whenIdle = { closed.close() }
            for pair in pairs { pair.send("x") }
            await Task.yield()
            return ["\(closed.isOpen)", "\(closed.arrived.capacity)", try Self.read(pairs[2])]
        }
        #expect(seen == ["false", "0", "x"])
    }

    // MARK: Writing

    @Test(arguments: [true, false])
    func `each gets its own bytes, whatever becomes of its neighbours`(usesRing: Bool) async throws {
        let count = SubmissionRing.size + 5
        let failure = try await Self.withPairs(count, usesRing: usesRing) { _, loop, pairs -> String? in
            let (gone, full, closed) = (pairs[3], pairs[4], pairs[5])
            // What the kernel reckons as room, and is none.
            var filler = [UInt8](repeating: 0x2e, count: 4096)
            while unsafe send(full.channel.rawDescriptor, &filler, filler.count, Int32(MSG_NOSIGNAL)) > 0 {}
            for (index, pair) in pairs.enumerated() {
                var output = ByteBuffer()
                output.append("for \(index)")
                guard try pair.channel.post(&output, wiping: index % 2 == 0) == .done else { return "not taken" }
            }
            gone.leave()
            closed.channel.abort()
            await Task.yield()
            for (index, pair) in pairs.enumerated() where !(3...5).contains(index) {
                let seen = pair.received
                guard seen == "for \(index)" else { return "\(index) got \(seen ?? "the end")" }
                guard !pair.channel.hasPosted, pair.channel.posted.bytes.capacity == 0,
                    !pair.channel.posted.carriesSecret
                else {
                    return "\(index) keeps something"
                }
            }
            guard gone.channel.hasLeft, !gone.channel.hasPosted else { return "nobody noticed that one had gone" }
            guard await closed.firstReceived() == nil else { return "one that was cut got something" }

            // The full one goes on when its peer has taken something.
            var last = ""
            while full.channel.hasPosted || !last.isEmpty {
                while let text = full.received, !text.isEmpty { last = text }
                if last.hasSuffix("for 4") { return loop.calls.ringCalls > 0 || !usesRing ? nil : "no ring" }
                await Task.yield()
            }
            return "the full one got nothing"
        }
        #expect(failure == nil || !permitsRings && failure == "no ring", "\(failure ?? "")")
    }

    @Test(arguments: [true, false])
    func `once the rest of what stalled has gone, its owner is not woken again for nothing`(usesRing: Bool) async throws
    {
        let seen = try await Self.withPairs(2, usesRing: usesRing) { _, _, pairs in
            var filler = [UInt8](repeating: 0x2e, count: 4096)
            for pair in pairs {
                while unsafe send(pair.channel.rawDescriptor, &filler, filler.count, Int32(MSG_NOSIGNAL)) > 0 {}
                var output = ByteBuffer()
                output.append("late")
                _ = try pair.channel.post(&output)
            }
            await Task.yield()
            let stalled = pairs.map { $0.channel.posted.isStalled }
            while pairs.contains(where: { $0.channel.hasPosted }) {
                for pair in pairs { while let text = pair.received, !text.isEmpty {} }
                await Task.yield()
            }
            return stalled + pairs.map { $0.channel.posted.isStalled }
        }
        #expect(seen == [true, true, false, false])
    }

    // MARK: Ends

    /// A connection over TCP: Unix sockets know no reset.
    private static func tcpPair(on loop: EventLoop) throws -> ChannelPair {
        guard let address = SocketAddress(ip: "127.0.0.1", port: 0) else { throw SystemError("address", code: EINVAL) }
        let listener = try Socket.listen(on: address)
        guard let bound = Socket.localAddress(listener.raw) else { throw SystemError("getsockname") }
        let end = try Socket.stream(family: AF_INET)
        _ = try Socket.connect(end, to: bound)
        while true {
            guard let accepted = try Socket.accept(listener.raw) else { continue }
            let channel = try Channel(
                adopting: accepted.takeDescriptor(), on: loop, parker: Parker(on: loop))
            return ChannelPair(channel: channel, end: end.release())
        }
    }

    /// A reset comes by the loopback device, whenever the kernel has the time. Asking takes nothing of it away.
    private static func awaitReset(of pair: ChannelPair) {
        var wait = pollfd(fd: pair.channel.rawDescriptor, events: 0, revents: 0)
        while unsafe poll(&wait, 1, -1) < 1 {}
    }

    /// The kernel tells of a reset once. Told to a write, the reader saw an end in order, and a cut answer looked whole.
    @Test(arguments: ["write", "post", "read ahead"], [true, false])
    func `a reset that another call was told of is no end in order`(call: String, usesRing: Bool) async throws {
        let seen = try await Self.withPairs(1, usesRing: usesRing) { _, loop, others -> [String] in
            let pair = try Self.tcpPair(on: loop)
            defer { pair.channel.close() }
            guard try Self.read(pair) == "blocked" else { return ["not blocked"] }
            if call == "read ahead" {
                guard permitsRings else { return ["half", "reset"] }
                var ring = try SubmissionRing()
                pair.channel.submitRead(to: &ring, place: 0)
                pair.reset()
                Self.awaitReset(of: pair)
                _ = ring.submit()
                pair.channel.didRead(ring.takeResult(of: 0))
            } else {
                pair.send("half")
                pair.reset()
                Self.awaitReset(of: pair)
                var output = ByteBuffer()
                output.append("in vain")
                if call == "post" {
                    for other in [others[0], pair] {
                        output.append("in vain")
                        _ = try other.channel.post(&output)
                    }
                } else {
                    _ = try? pair.channel.write(from: &output)
                }
            }
            await Task.yield()
            var seen: [String] = []
            for _ in 0..<2 {
                do { seen.append(try Self.read(pair)) } catch { seen.append("reset") }
            }
            return call == "read ahead" ? ["half", seen[0]] : seen
        }
        #expect(seen == ["half", "reset"])
    }

    @Test(.enabled(if: permitsRings))
    func `a ring that the kernel takes no calls from any more is done without`() async {
        // In a process of its own, since the ring's descriptor is taken away from under it.
        await #expect(processExitsWith: .success) {
            let seen = try await Self.withPairs(3, usesRing: true) { _, loop, pairs in
                for pair in pairs { pair.send("one") }
                await Task.yield()
                let calls = loop.calls.ringCalls
                for pair in pairs { _ = try Self.read(pair) + Self.read(pair) }
                try Self.takeRingsAway()

                var seen: [String] = []
                for text in ["two", "three"] {
                    for pair in pairs {
                        pair.send(text)
                        var output = ByteBuffer()
                        output.append(text)
                        _ = try pair.channel.post(&output)
                    }
                    await Task.yield()
                    for pair in pairs { seen.append(try Self.read(pair) + Self.read(pair) + (pair.received ?? "end")) }
                }
                return seen + ["\(loop.calls.ringCalls - calls)"]
            }
            let (two, three) = ("twoblockedtwo", "threeblockedthree")
            try #require(seen == [two, two, two, three, three, three, "0"], "\(seen)")
        }
    }

    /// Puts something else in the place of each ring's descriptor.
    private static func takeRingsAway() throws {
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        var count = 0
        for descriptor in Int32(0)..<256 {
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
            guard target == "anon_inode:[io_uring]" else { continue }
            dup2(nothing, descriptor)
            count += 1
        }
        try #require(count > 0)
    }
}
