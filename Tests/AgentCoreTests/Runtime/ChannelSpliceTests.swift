// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc
import Testing

@testable import AgentCore

/// Bytes that go from one socket to another through a pipe.
@Suite struct ChannelSpliceTests {
    /// Two connections: what is sent into the first can be spliced to the second.
    struct Line {
        let from: ChannelPair
        let to: ChannelPair

        var source: Channel { from.channel }
        var sink: Channel { to.channel }
        func send(_ text: String) { from.send(text) }
        var received: String? { to.received }
    }

    private static func withLine<Value: Sendable>(
        _ body: @Sendable (isolated LoopActor, SplicePool, Line) async throws -> Value
    ) async throws -> Value {
        try await LoopActor.with { actor, loop, parker in
            let line = Line(
                from: try ChannelPair(on: loop, parker: parker), to: try ChannelPair(on: loop, parker: parker))
            defer {
                line.from.close()
                line.to.close()
            }
            return try await body(actor, loop.pipes, line)
        }
    }

    @Test func `no more is taken than was asked for, and only an empty socket counts as empty`() async throws {
        let seen = try await Self.withLine { _, pool, line in
            guard var pipe = pool.take(at: 0) else { return ["no pipe"] }
            line.send("one|two")
            var seen: [String] = []
            for limit in [4, 100, 100] {
                let outcome = try line.source.splice(into: &pipe.value, atMost: limit)
                let written = try line.sink.splice(from: &pipe.value)
                seen.append(
                    "\(outcome.map { "\($0)" } ?? "nil") \(line.source.isReadable) \(written == .done) \(line.received ?? "end")"
                )
            }
            return seen
        }
        #expect(seen == ["bytes(4) true true one|", "bytes(3) true true two", "blocked false true "])
    }

    @Test func `the sender's end is told behind its last bytes`() async throws {
        let seen = try await Self.withLine { _, pool, line in
            guard var pipe = pool.take(at: 0) else { return ["no pipe"] }
            line.send("bye")
            shutdown(line.from.end, Int32(SHUT_WR))
            let first = try line.source.splice(into: &pipe.value, atMost: 100)
            _ = try line.sink.splice(from: &pipe.value)
            return ["\(first == .bytes(3))", "\(try line.source.splice(into: &pipe.value, atMost: 100) == .ended)"]
        }
        #expect(seen == ["true", "true"])
    }

    @Test func `what was posted goes before what is spliced`() async throws {
        let seen = try await Self.withLine { _, pool, line in
            guard var pipe = pool.take(at: 0) else { return "no pipe" }
            var head = ByteBuffer()
            head.append("head ")
            _ = try line.sink.post(&head)
            line.send("content")
            _ = try line.source.splice(into: &pipe.value, atMost: 100)
            _ = try line.sink.splice(from: &pipe.value)
            return line.received ?? "end"
        }
        #expect(seen == "head content")
    }

    @Test func `a reader that takes no more is waited for, and nothing is lost`() async throws {
        let seen = try await Self.withLine { _, pool, line in
            guard var pipe = pool.take(at: 0) else { return ["no pipe"] }
            let piece = String(repeating: "0123456789abcdef", count: 256)
            var sent = 0
            var outcome = Channel.WriteOutcome?.some(.done)
            while outcome == .done {
                line.send(piece)
                guard case .bytes(let count)? = try line.source.splice(into: &pipe.value, atMost: 1 << 20) else {
                    break
                }
                sent += count
                outcome = try line.sink.splice(from: &pipe.value)
            }
            let isWaiting = outcome == .blocked && !line.sink.isWritable && !pipe.value.isEmpty
            var arrived = 0
            while arrived < sent {
                while let text = line.received, !text.isEmpty { arrived += text.utf8.count }
                if try line.sink.splice(from: &pipe.value) == .blocked { _ = await line.sink.parker?.park() }
            }
            return ["\(isWaiting)", "\(arrived == sent)", "\(pipe.value.count)"]
        }
        #expect(seen == ["true", "true", "0"])
    }

    @Test func `a splice that the kernel refuses leaves everything where it is`() async throws {
        let seen = try await Self.withLine { _, pool, line in
            guard var pipe = pool.take(at: 0) else { return ["no pipe"] }
            line.send("kept")
            _ = try line.source.splice(into: &pipe.value, atMost: 100)
            // splice(2): EINVAL, "the target file is opened in append mode".
            _ = fcntl(line.sink.rawDescriptor, F_SETFL, O_NONBLOCK | O_APPEND)
            let out = try line.sink.splice(from: &pipe.value)
            let count = pipe.value.count
            // No file of which anything could be spliced.
            let timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK))
            let odd = try Channel(adopting: Descriptor(owning: timer), on: line.source.loop, parker: nil)
            defer { odd.close() }
            guard var other = pool.take(at: 0) else { return ["no pipe"] }
            let into = try odd.splice(into: &other.value, atMost: 8)
            return ["\(out == nil)", "\(count)", "\(into == nil)", "\(other.value.count)"]
        }
        #expect(seen == ["true", "4", "true", "0"])
    }

    @Test func `a peer that is gone is an error and no signal`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let seen = try await Self.withLine { _, pool, line in
                guard var pipe = pool.take(at: 0) else { return "no pipe" }
                line.send("nobody hears")
                _ = try line.source.splice(into: &pipe.value, atMost: 100)
                line.to.leave()
                do { return "\(String(describing: try line.sink.splice(from: &pipe.value)))" } catch {
                    return "\(error)"
                }
            }
            try #require(seen == "splice: Broken pipe", "\(seen)")
        }
    }
}
