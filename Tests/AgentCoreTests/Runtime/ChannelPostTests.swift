// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Output that waits for the end of the loop's turn.
@Suite struct ChannelPostTests {
    /// A channel, and the other end as a plain descriptor that never blocks.
    ///
    /// - Parameter crowd: with 0, each turn is a crowded one, in which output is posted.
    private static func withEnd<Value: Sendable>(
        crowd: Int = 0, _ body: @Sendable (isolated LoopActor, EventLoop, Channel, Int32) async throws -> Value
    ) async throws -> Value {
        try await LoopActor.with(crowd: crowd) { actor, loop, parker in
            // The first turn has begun before there were any events.
            await Task.yield()
            var ends: [Int32] = [0, 0]
            let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemError("socketpair") }
            let channel = try Channel(adopting: Descriptor(owning: ends[0]), on: loop, parker: parker)
            defer {
                channel.close()
                close(ends[1])
            }
            return try await body(actor, loop, channel, ends[1])
        }
    }

    /// What has arrived; nil at the end of the connection.
    private static func received(_ descriptor: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
        if count == 0 { return nil }
        return count < 0 ? "" : String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test func `what is posted goes out at the end of the turn, pieces of one turn together`() async throws {
        let seen = try await Self.withEnd { _, _, channel, end in
            var output = ByteBuffer()
            output.append("one ")
            guard try channel.post(&output) == .done, output.isEmpty, output.capacity == 0 else { return ["kept"] }
            output.append("two")
            _ = try channel.post(&output)
            let before = Self.received(end)
            await Task.yield()
            return [before ?? "ended", Self.received(end) ?? "ended", channel.hasPosted ? "posted" : "gone"]
        }
        #expect(seen == ["", "one two", "gone"])
    }

    @Test func `in a turn that is not crowded nothing waits`() async throws {
        let seen = try await Self.withEnd(crowd: 2) { _, _, channel, end in
            var output = ByteBuffer()
            output.append("at once")
            guard try channel.post(&output) == .done, !channel.hasPosted else { return nil as String? }
            return Self.received(end)
        }
        #expect(seen == "at once")
    }

    @Test(arguments: ["large", "direct", "close", "shutdown"])
    func `what comes later never overtakes what was posted`(_ what: String) async throws {
        let seen = try await Self.withEnd { _, _, channel, end in
            var output = ByteBuffer()
            output.append("first ")
            _ = try channel.post(&output)
            switch what {
            case "large":
                for _ in 0..<BufferPool.smallSize { output.append("x") }
                _ = try channel.post(&output)
            case "direct":
                output.append("x")
                _ = try channel.write(from: &output)
            case "close": channel.close()
            default: channel.shutdownWriting()
            }
            return Self.received(end)
        }
        #expect(
            seen == "first "
                + (what == "large" ? String(repeating: "x", count: BufferPool.smallSize) : what == "direct" ? "x" : ""))
    }

    @Test func `a peer that takes nothing is waited for, and the owner hears when it has taken all`() async throws {
        let outcome = try await Self.withEnd { _, loop, channel, end in
            // Full, but for the kernel's own reckoning: what is posted next finds no room.
            var filler = ByteBuffer()
            repeat {
                filler.clear()
                for _ in 0..<4096 { filler.append("0123456789abcdef") }
            } while try channel.write(from: &filler) == .done
            let rest = filler.count
            guard !channel.isWritable else { return "writable" }

            // Not taken while the last has not gone: the owner keeps it.
            var output = ByteBuffer()
            output.append("kept")
            guard try channel.post(&output) == .blocked, output.count == 4, rest > 0 else { return "taken" }
            var total = 0
            while !filler.isEmpty || !output.isEmpty || channel.hasPosted {
                while let text = Self.received(end), !text.isEmpty { total += text.utf8.count }
                if !filler.isEmpty {
                    if try channel.write(from: &filler) == .blocked { _ = await channel.parker?.park() }
                } else if !output.isEmpty {
                    _ = try channel.post(&output)
                } else {
                    _ = try channel.flush()
                }
            }
            return Self.received(end) ?? "ended"
        }
        #expect(outcome == "kept")
    }

    @Test func `a peer that has gone before the end of the turn shows as one that has left`() async throws {
        let hasLeft = try await Self.withEnd { _, _, channel, end in
            var output = ByteBuffer()
            output.append("in vain")
            _ = try channel.post(&output)
            // The descriptor stays open, as the test's own end closes it.
            Glibc.shutdown(end, Int32(SHUT_RDWR))
            _ = await channel.parker?.park()
            return [channel.hasLeft, !channel.hasPosted]
        }
        #expect(hasLeft == [true, true])
    }

    @Test func `a connection that is cut sends nothing of what was posted`() async throws {
        let seen = try await Self.withEnd { _, _, channel, end in
            var output = ByteBuffer()
            output.append("half an answer")
            _ = try channel.post(&output)
            channel.abort()
            return Self.received(end)
        }
        #expect(seen == nil)
    }
}
