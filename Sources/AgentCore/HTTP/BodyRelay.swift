// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Carries the content of one message from the connection it comes in by to the one it goes out by, taking one framing
/// off and putting another on. Knows buffers, no sockets; one value serves a connection for all its messages.
///
/// Nothing is kept back: what has arrived is moved at once, and nothing is taken while the last piece has not gone, so
/// that a slow reader slows the sender down and memory stays at two blocks. Large content may go by without touching a
/// buffer: see `splice`.
struct BodyRelay {
    private(set) var incoming = BodyFraming.none
    private(set) var outgoing = BodyFraming.none
    /// The message is whole, its end has been written to the output.
    private(set) var isComplete = true
    /// The message ended with trailer fields.
    private(set) var hadTrailers = false
    /// Bytes of content carried so far, without framing.
    private(set) var contentCount: UInt64 = 0

    /// Bytes of content still to be carried, where the length is known; else 0.
    private(set) var remaining: UInt64 = 0
    /// The content comes faster than in small pieces, and its length is told on both sides.
    private var comesInBlocks = false
    private var decoder: ChunkedDecoder
    private var filter = FieldFilter()

    init(limits: HTTPLimits) {
        decoder = ChunkedDecoder(limits: limits)
    }

    /// There is no message: the last one's counts are not those of the next.
    mutating func reset() {
        contentCount = 0
        hadTrailers = false
        isComplete = true
    }

    /// Begins with the next message.
    ///
    /// - Parameter filter: names that are left out of trailers.
    mutating func begin(
        _ incoming: BodyFraming, as outgoing: BodyFraming, leavingOut filter: FieldFilter = FieldFilter()
    ) {
        self.incoming = incoming
        self.outgoing = outgoing
        contentCount = 0
        hadTrailers = false
        isComplete = false
        remaining = 0
        comesInBlocks = false
        switch incoming {
        case .none:
            isComplete = true
        case .length(let length):
            remaining = length
            isComplete = length == 0
        case .chunked:
            // Only there are trailers.
            self.filter = filter
            decoder.reset()
        case .untilClose, .tunnel:
            break
        }
    }

    /// Moves what `input` holds of this message to `output`.
    ///
    /// - Parameter tap: sees each piece of content once, in order.
    /// - Throws: what is wrong with the framing that came in; the message can then only be cut.
    mutating func move(
        from input: inout ByteBuffer, to output: inout ByteBuffer, tap: (Span<UInt8>) -> Void = { _ in }
    ) throws(HTTPError) {
        guard !isComplete, !input.isEmpty else { return }
        if case .chunked = incoming { return try moveChunks(from: &input, to: &output, tap: tap) }
        var count = input.count
        if case .length = incoming, remaining < UInt64(count) { count = Int(remaining) }
        tap(input.readable.extracting(first: count))
        contentCount += UInt64(count)
        if case .chunked = outgoing {
            ChunkedEncoder.append(input.readable.extracting(first: count), into: &output)
            input.consume(count)
        } else if count == input.count, output.isEmpty {
            // All of it, and nothing to add: the block itself changes hands.
            swap(&input, &output)
        } else {
            output.append(input.readable.extracting(first: count))
            input.consume(count)
        }
        guard case .length = incoming else { return }
        remaining -= UInt64(count)
        if remaining == 0 { end(into: &output) }
        if count >= Self.largePiece, case .length = outgoing { comesInBlocks = true }
    }

    // MARK: Splicing

    /// Bytes that have to come at once for the content to be spliced: half a block.
    static let largePiece = BufferPool.blockSize / 2
    /// Bytes that have to be left for it: from two blocks on it is cheaper than copying them.
    static let spliceThreshold: UInt64 = 64 << 10

    /// There is much left of the content, and it comes fast: splicing is worth its calls now. Begun, it goes on to the end of
    /// a turn, or of the content.
    var isBulk: Bool { comesInBlocks && remaining >= Self.spliceThreshold }

    /// So many bytes of content have been written that were in no buffer.
    mutating func haveGoneBy(_ bytes: Int) {
        precondition(UInt64(bytes) <= remaining, "more content was spliced than there is")
        contentCount += UInt64(bytes)
        remaining -= UInt64(bytes)
        if remaining == 0 { isComplete = true }
    }

    /// So many bytes were there at once, and no more.
    mutating func slowsDown(after bytes: UInt64) {
        if bytes < UInt64(Self.largePiece) { comesInBlocks = false }
    }

    private mutating func moveChunks(
        from input: inout ByteBuffer, to output: inout ByteBuffer, tap: (Span<UInt8>) -> Void
    ) throws(HTTPError) {
        var position = 0
        while true {
            switch try decoder.next(input.readable, &position) {
            case .data(let range):
                let piece = input.readable.extracting(range)
                tap(piece)
                contentCount += UInt64(piece.count)
                if case .chunked = outgoing {
                    ChunkedEncoder.append(piece, into: &output)
                } else {
                    output.append(piece)
                }
            case .needMore:
                input.consume(position)
                return
            case .end(let section):
                if case .chunked = outgoing {
                    ChunkedEncoder.appendLast(
                        trailers: decoder.trailers, in: input.readable.extracting(section), leavingOut: filter,
                        into: &output)
                }
                input.consume(position)
                hadTrailers = !decoder.trailers.isEmpty
                isComplete = true
                return
            }
        }
    }

    /// The sender's connection has ended in order.
    ///
    /// - Returns: whether the message is whole; if not, it was cut, and must be cut on the other side, too.
    mutating func inputEnded(output: inout ByteBuffer) -> Bool {
        switch incoming {
        case .untilClose, .tunnel:
            if !isComplete { end(into: &output) }
        case .none, .length, .chunked:
            break
        }
        return isComplete
    }

    private mutating func end(into output: inout ByteBuffer) {
        isComplete = true
        if case .chunked = outgoing { ChunkedEncoder.appendLast(into: &output) }
    }
}
