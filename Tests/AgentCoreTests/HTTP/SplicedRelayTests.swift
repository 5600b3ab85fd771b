// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// When content is spliced, and what is counted of it.
@Suite struct SplicedRelayTests {
    private static let threshold = Int(BodyRelay.spliceThreshold)

    /// A relay through which `first` bytes of a message have been copied.
    private static func relay(_ incoming: BodyFraming, as outgoing: BodyFraming, after first: Int) throws -> BodyRelay {
        var relay = BodyRelay(limits: HTTPLimits())
        relay.begin(incoming, as: outgoing)
        var input = ByteBuffer()
        var output = ByteBuffer()
        for _ in 0..<first { input.append(7) }
        try relay.move(from: &input, to: &output)
        return relay
    }

    @Test func `content is spliced that has a length, comes in large pieces, and has enough left`() throws {
        let large = BodyRelay.largePiece
        let length = UInt64(large + Self.threshold)
        let isBulk = [
            try Self.relay(.length(length), as: .length(length), after: large),
            try Self.relay(.length(length - 1), as: .length(length - 1), after: large),
            try Self.relay(.length(length), as: .length(length), after: large - 1),
            try Self.relay(.length(length), as: .length(length), after: 0),
            try Self.relay(.length(length), as: .chunked, after: large),
            try Self.relay(.untilClose, as: .untilClose, after: large),
            try Self.relay(.tunnel, as: .tunnel, after: large),
        ].map(\.isBulk)
        #expect(isBulk == [true, false, false, false, false, false, false])
        // The next message of the connection begins anew.
        var relay = try Self.relay(.length(length), as: .length(length), after: large)
        relay.begin(.length(length), as: .length(length))
        #expect(!relay.isBulk)
    }

    /// Two connections on one loop: the relay's source and sink, and their far ends.
    private static func withLine<Value: Sendable>(
        _ body: @Sendable (isolated LoopActor, Channel, Channel, (sender: Wire, receiver: Wire)) async throws -> Value
    ) async throws -> Value {
        try await LoopActor.with { actor, loop, parker in
            func pair() throws -> (Channel, Wire) {
                let listener = try LoopbackListener()
                let far = Wire(owning: try listener.connect().release())
                let near = try listener.accept()
                _ = fcntl(near.raw, F_SETFL, O_NONBLOCK)
                return (try Channel(adopting: near, on: loop, parker: parker), far)
            }
            let (source, sender) = try pair()
            let (sink, receiver) = try pair()
            defer {
                source.close()
                sink.close()
            }
            return try await body(actor, source, sink, (sender, receiver))
        }
    }

    @Test(arguments: [1, 4_095, 4_096, 65_536, 262_144, 262_145, 1_000_003])
    func `what is spliced is exactly the rest of the message, in turns of bounded size`(_ size: Int) async throws {
        let (arrived, behind, turns, count) = try await Self.withLine { _, source, sink, far in
            var relay = BodyRelay(limits: HTTPLimits())
            relay.begin(.length(UInt64(size)), as: .length(UInt64(size)))
            let content = Pattern.bytes(size)
            let writer = onThread { try? far.sender.send(content + Array("next".utf8)) }
            let received = Shared<[UInt8]>([])
            let reader = onThread { if let bytes = try? far.receiver.receive(size) { received.update { $0 = bytes } } }
            var piped: OwnedBox<SplicePipe>?
            var output = ByteBuffer()
            var areTurnsBounded = true
            while !relay.isComplete {
                let before = relay.contentCount
                let outcome = relay.splice(from: source, through: &piped, to: sink, &output)
                areTurnsBounded =
                    areTurnsBounded
                    && relay.contentCount - before <= UInt64((BodyRelay.pipesInTurn + 1) * SplicePipe.size)
                if outcome == .blocked { _ = await source.parker?.park() }
            }
            writer.join()
            reader.join()
            var rest = ByteBuffer()
            while rest.count < 4, try source.read(into: &rest) != .ended {
                if rest.count < 4 { _ = await source.parker?.park() }
            }
            let text = String(decoding: (0..<rest.count).map { rest[$0] }, as: UTF8.self)
            return (received.value == content, text, areTurnsBounded && piped == nil, relay.contentCount)
        }
        #expect(arrived)
        #expect(behind == "next")
        #expect(turns)
        #expect(count == UInt64(size))
    }

    @Test func `when the kernel refuses on the way, what is in the pipe goes out by copying`() async throws {
        let size = 600_000
        let (isWhole, outcomes) = try await Self.withLine { _, source, sink, far in
            var relay = BodyRelay(limits: HTTPLimits())
            relay.begin(.length(UInt64(size)), as: .length(UInt64(size)))
            for descriptor in [sink.rawDescriptor, far.receiver.descriptor] {
                for option in [SO_SNDBUF, SO_RCVBUF] {
                    var size: Int32 = 8_192
                    unsafe setsockopt(descriptor, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<Int32>.size))
                }
            }
            let content = Pattern.bytes(size)
            let writer = onThread { try? far.sender.send(content) }
            var piped: OwnedBox<SplicePipe>?
            var input = ByteBuffer()
            var output = ByteBuffer()
            // Nobody reads yet: at some time bytes are stuck in the pipe.
            while piped == nil, !relay.isComplete {
                if relay.splice(from: source, through: &piped, to: sink, &output) == .blocked, piped == nil {
                    _ = await source.parker?.park()
                }
            }
            let stuck = piped?.value.count ?? 0
            // splice(2): EINVAL, "the target file is opened in append mode".
            _ = fcntl(sink.rawDescriptor, F_SETFL, O_NONBLOCK | O_APPEND)
            let received = Shared<[UInt8]>([])
            let reader = onThread { if let bytes = try? far.receiver.receive(size) { received.update { $0 = bytes } } }
            var outcome = BodyRelay.Splice.blocked
            while piped != nil {
                outcome = relay.splice(from: source, through: &piped, to: sink, &output)
                if outcome == .blocked { _ = await source.parker?.park() }
            }
            let drained = output.count
            while !relay.isComplete || !output.isEmpty {
                if output.isEmpty { try relay.move(from: &input, to: &output) }
                var isBlocked = false
                if !output.isEmpty { isBlocked = try sink.write(from: &output) == .blocked }
                if output.isEmpty, !relay.isComplete { isBlocked = try source.read(into: &input) == .blocked }
                if isBlocked { _ = await source.parker?.park() }
            }
            writer.join()
            reader.join()
            let isNeverAsked = source.loop.pipes.take(at: .max) == nil
            return (received.value == content, [stuck > 0, outcome == .copy, drained > 0, isNeverAsked])
        }
        #expect(isWhole)
        #expect(outcomes == [true, true, true, true])
    }
}
