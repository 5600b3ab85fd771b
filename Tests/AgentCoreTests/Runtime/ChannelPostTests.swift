// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Output that waits for the end of the loop's turn.
@Suite struct ChannelPostTests {
    /// - Parameter events: with 0, each turn is a crowded one, in which output is posted.
    private static func withEnd<Value: Sendable>(
        events: Int = 0, _ body: @Sendable (isolated LoopActor, EventLoop, ChannelPair) async throws -> Value
    ) async throws -> Value {
        try await LoopActor.with(crowd: .init(events: events)) { actor, loop, parker in
            // The first turn has begun before there were any events.
            await Task.yield()
            let pair = try ChannelPair(on: loop, parker: parker)
            defer { pair.close() }
            return try await body(actor, loop, pair)
        }
    }

    @Test func `what is posted goes out at the end of the turn, pieces of one turn together`() async throws {
        let seen = try await Self.withEnd { _, _, pair in
            var output = ByteBuffer()
            output.append("one ")
            guard try pair.channel.post(&output) == .done, output.isEmpty, output.capacity == 0 else { return ["kept"] }
            output.append("two")
            _ = try pair.channel.post(&output)
            let before = pair.received
            await Task.yield()
            return [before ?? "ended", pair.received ?? "ended", pair.channel.hasPosted ? "posted" : "gone"]
        }
        #expect(seen == ["", "one two", "gone"])
    }

    @Test func `in a turn that is not crowded nothing waits`() async throws {
        let seen = try await Self.withEnd(events: 2) { _, _, pair in
            var output = ByteBuffer()
            output.append("at once")
            guard try pair.channel.post(&output) == .done, !pair.channel.hasPosted else { return nil as String? }
            return pair.received
        }
        #expect(seen == "at once")
    }

    @Test(arguments: ["large", "direct", "close", "shutdown"])
    func `what comes later never overtakes what was posted`(_ what: String) async throws {
        let seen = try await Self.withEnd { _, _, pair in
            var output = ByteBuffer()
            output.append("first ")
            _ = try pair.channel.post(&output)
            switch what {
            case "large":
                for _ in 0..<BufferPool.smallSize { output.append("x") }
                _ = try pair.channel.post(&output)
            case "direct":
                output.append("x")
                _ = try pair.channel.write(from: &output)
            case "close": pair.channel.close()
            default: pair.channel.shutdownWriting()
            }
            return pair.received
        }
        #expect(
            seen == "first "
                + (what == "large" ? String(repeating: "x", count: BufferPool.smallSize) : what == "direct" ? "x" : ""))
    }

    @Test func `a peer that takes nothing is waited for, and the owner hears when it has taken all`() async throws {
        let outcome = try await Self.withEnd { _, loop, pair in
            // Full, but for the kernel's own reckoning: what is posted next finds no room.
            var filler = ByteBuffer()
            repeat {
                filler.clear()
                for _ in 0..<4096 { filler.append("0123456789abcdef") }
            } while try pair.channel.write(from: &filler) == .done
            let rest = filler.count
            guard !pair.channel.isWritable else { return "writable" }

            // Not taken while the last has not gone: the owner keeps it.
            var output = ByteBuffer()
            output.append("kept")
            guard try pair.channel.post(&output) == .blocked, output.count == 4, rest > 0 else { return "taken" }
            var total = 0
            while !filler.isEmpty || !output.isEmpty || pair.channel.hasPosted {
                while let text = pair.received, !text.isEmpty { total += text.utf8.count }
                if !filler.isEmpty {
                    if try pair.channel.write(from: &filler) == .blocked { _ = await pair.channel.parker?.park() }
                } else if !output.isEmpty {
                    _ = try pair.channel.post(&output)
                } else {
                    _ = try pair.channel.flush()
                }
            }
            return pair.received ?? "ended"
        }
        #expect(outcome == "kept")
    }

    @Test func `a peer that has gone before the end of the turn shows as one that has left`() async throws {
        let hasLeft = try await Self.withEnd { _, _, pair in
            var output = ByteBuffer()
            output.append("in vain")
            _ = try pair.channel.post(&output)
            pair.leave()
            _ = await pair.channel.parker?.park()
            return [pair.channel.hasLeft, !pair.channel.hasPosted]
        }
        #expect(hasLeft == [true, true])
    }

    @Test func `a connection that is cut sends nothing of what was posted`() async throws {
        let seen = try await Self.withEnd { _, _, pair in
            var output = ByteBuffer()
            output.append("half an answer")
            _ = try pair.channel.post(&output)
            pair.channel.abort()
            return await pair.firstReceived()
        }
        #expect(seen == nil)
    }
}
