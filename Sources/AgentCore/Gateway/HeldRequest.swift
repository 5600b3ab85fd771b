// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What is kept of a request until its answer has begun, so that it can be sent again with a renewed credential, or on
/// a fresh connection.
struct HeldRequest: ~Copyable {
    /// As it goes to the upstream, without the injected fields and the empty line: no secret.
    var head = ByteBuffer()
    /// The content sent so far, without framing.
    private(set) var body = ByteBuffer()
    private var bodyLimit = 0
    /// Where the content kept counts.
    private let share: HeldContent
    /// More content came than is kept: it cannot be sent again.
    private(set) var isOverflown = false

    init(_ share: HeldContent) {
        self.share = share
    }

    /// - Parameter bodyLimit: bytes of content kept at most.
    mutating func begin(_ pool: borrowing BufferPool, bodyLimit: Int) {
        release(pool)
        pool.lendSmall(to: &head)
        if bodyLimit > 0 { pool.lend(to: &body) }
        self.bodyLimit = bodyLimit
        isOverflown = false
    }

    /// Keeps content that is being sent.
    mutating func append(_ piece: Span<UInt8>) {
        guard !isOverflown else { return }
        guard body.count + piece.count <= bodyLimit, share.take(piece.count) else {
            isOverflown = true
            share.giveBack(body.count)
            body = ByteBuffer()
            return
        }
        body.append(piece)
    }

    /// Writes the head as it is kept.
    func append(to buffer: inout ByteBuffer) {
        buffer.append(head.readable)
    }

    /// Writes the content that was sent before, framed anew, and its end if that was sent, too.
    func appendBody(as framing: BodyFraming, isWhole: Bool, to buffer: inout ByteBuffer) {
        if case .chunked = framing {
            ChunkedEncoder.append(body.readable, into: &buffer)
            if isWhole { ChunkedEncoder.appendLast(into: &buffer) }
        } else {
            buffer.append(body.readable)
        }
    }

    /// Gives the memory back: nothing will be sent again.
    mutating func release(_ pool: borrowing BufferPool) {
        head.clear()
        pool.reclaim(&head)
        share.giveBack(body.count)
        body.clear()
        pool.reclaim(&body)
        isOverflown = true
    }

    /// Whether all that was sent is still here.
    var canBeSentAgain: Bool { !head.isEmpty && !isOverflown }
}
