// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Large content of known length on its way from plain socket to plain socket: the kernel moves it, and the agent counts.
///
/// Begun and ended at any place of a message, since `move` and `splice` count alike. A content that trickles goes the usual
/// way, in fewer calls: first of all `move` has to see a good part of a block at once.
extension BodyRelay {
    enum Splice {
        /// The usual way has it from here: what is left is little, or the kernel splices no more. There may be output.
        case copy
        /// One of both sockets.
        case blocked
        /// There may be more at once: others on the loop first.
        case turn
        /// The sender's connection has ended in order, before the content did.
        case sourceEnded
        case sourceFailed
        case sinkFailed
    }

    /// How often a pipe is filled before others on the loop have their turn: 2 MiB at most, which take as long as 16 blocks
    /// that are copied.
    static let pipesInTurn = 8

    /// Moves content for as long as neither side blocks, a bounded amount, when nothing of the message is in a buffer.
    ///
    /// - Parameters:
    ///   - slot: the pipe, while bytes are in it.
    ///   - output: to `sink`; gets what was in the pipe when the kernel refused to go on.
    @inline(never)
    mutating func splice(
        from source: Channel, through slot: inout OwnedBox<SplicePipe>?, to sink: Channel, _ output: inout ByteBuffer
    ) -> Splice {
        guard source.isPlain, sink.isPlain else { return .copy }
        let pool = source.loop.pipes
        var taken = slot.take()
        if taken == nil { taken = pool.take(at: source.loop.now) }
        guard var pipe = taken.take() else { return .copy }
        let result = moveTurn(from: source, through: &pipe.value, to: sink, &output)
        switch result {
        case .blocked, .turn: if !pipe.value.isEmpty { slot = consume pipe } else { pool.give(pipe) }
        case .copy, .sourceEnded, .sourceFailed, .sinkFailed: pool.give(pipe)
        }
        return result
    }

    private mutating func moveTurn(
        from source: Channel, through pipe: inout SplicePipe, to sink: Channel, _ output: inout ByteBuffer
    ) -> Splice {
        let before = contentCount
        for _ in 0..<Self.pipesInTurn {
            if pipe.isEmpty {
                guard remaining > 0 else { return .copy }
                do throws(IOFailure) {
                    switch try source.splice(into: &pipe, atMost: Int(clamping: remaining)) {
                    case .bytes: break
                    case .blocked:
                        slowsDown(after: contentCount - before)
                        return .blocked
                    case .ended: return .sourceEnded
                    case nil:
                        source.loop.pipes.refuse()
                        return .copy
                    }
                } catch { return .sourceFailed }
            }
            let held = pipe.count
            let outcome: Channel.WriteOutcome?
            do throws(IOFailure) { outcome = try sink.splice(from: &pipe) } catch {
                haveGoneBy(held - pipe.count)
                return .sinkFailed
            }
            haveGoneBy(held - pipe.count)
            if outcome == .blocked { return .blocked }
            if outcome == nil { return copyRest(of: &pipe, to: &output, refusedBy: source.loop.pipes) }
        }
        return .turn
    }

    private mutating func copyRest(
        of pipe: inout SplicePipe, to output: inout ByteBuffer, refusedBy pool: SplicePool
    ) -> Splice {
        pool.refuse()
        let held = pipe.count
        do throws(SystemError) { try pipe.drain(into: &output) } catch { return .sourceFailed }
        haveGoneBy(held)
        return .copy
    }
}
