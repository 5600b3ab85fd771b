// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct ChannelTests {
    /// Two ends of one connection on one loop, with a parker each.
    private static func withPair<Value: Sendable>(
        _ body: @Sendable (isolated LoopActor, EventLoop, Channel, Channel) async throws -> Value
    ) async throws -> Value {
        try await LoopActor.with { actor, loop, parker in
            var ends: [Int32] = [0, 0]
            let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemError("socketpair") }
            let left = try Channel(adopting: Descriptor(owning: ends[0]), on: loop, parker: parker)
            let right = try Channel(adopting: Descriptor(owning: ends[1]), on: loop, parker: parker)
            defer {
                left.close()
                right.close()
            }
            return try await body(actor, loop, left, right)
        }
    }

    @Test func `a megabyte crosses whole through a small kernel buffer`() async throws {
        let received = try await Self.withPair { _, _, left, right in
            var outgoing = ByteBuffer()
            for index in 0..<1_048_576 { outgoing.append(UInt8(truncatingIfNeeded: index &* 31)) }
            var incoming = ByteBuffer()
            var total = 0
            var intact = true
            while total < 1_048_576 {
                let parker = left.parker
                _ = try left.write(from: &outgoing)
                let outcome = try right.read(into: &incoming)
                if case .bytes = outcome {
                    for offset in 0..<incoming.count {
                        intact = intact && incoming[offset] == UInt8(truncatingIfNeeded: (total + offset) &* 31)
                    }
                    total += incoming.count
                    incoming.clear()
                } else {
                    _ = await parker?.park()
                }
            }
            return (total, intact)
        }
        #expect(received == (1_048_576, true))
    }

    @Test func `a silent channel holds no memory`() async throws {
        let capacities = try await Self.withPair { _, _, left, right in
            var buffer = ByteBuffer()
            guard try right.read(into: &buffer) == .blocked else { return [-1] }
            let silent = buffer.capacity
            var outgoing = ByteBuffer()
            outgoing.append("x")
            guard try left.write(from: &outgoing) == .done else { return [-2] }
            while try right.read(into: &buffer) == .blocked { _ = await right.parker?.park() }
            let busy = buffer.capacity
            buffer.consume(1)
            _ = try right.read(into: &buffer)
            return [silent, busy, buffer.capacity, outgoing.capacity]
        }
        #expect(capacities == [0, BufferPool.blockSize, 0, 0])
    }

    @Test func `the peer's end is told after its last bytes`() async throws {
        let outcomes = try await Self.withPair { _, _, left, right in
            var outgoing = ByteBuffer()
            outgoing.append("bye")
            _ = try left.write(from: &outgoing)
            left.close()
            var buffer = ByteBuffer()
            var outcomes: [Channel.ReadOutcome] = []
            while outcomes.last != .ended {
                let outcome = try right.read(into: &buffer)
                if outcome == .blocked { _ = await right.parker?.park() } else { outcomes.append(outcome) }
            }
            return outcomes
        }
        #expect(outcomes == [.bytes(3), .ended])
    }

    @Test func `an event of a descriptor that was closed does not reach the one that took its number`() async throws {
        let isReadable = try await Self.withPair { _, loop, left, right in
            final class Silent: EventTarget {
                var events = 0
                func eventsArrived(_ events: UInt32) { self.events += 1 }
            }
            let target = Silent()
            let first = try loop.register(dup(left.rawDescriptor), events: 0, target: target)
            loop.deregister(first)
            let second = try loop.register(dup(right.rawDescriptor), events: 0, target: target)
            return first.slot == second.slot && first.generation != second.generation
        }
        #expect(isReadable)
    }
}
