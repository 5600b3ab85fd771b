// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The moving part of a `ClientCall`: sends the request and takes the answer in, one step at a time, without waiting.
final class ClientExchange {
    /// There once the answer is whole.
    private(set) var answer: ClientAnswer?

    private let channel: Channel
    private let loop: EventLoop
    private let method: HTTPMethod
    private let limits: HTTPLimits
    private let answerLimit: Int
    private var output = ByteBuffer()
    private var input = ByteBuffer()
    private var head = ResponseHead()
    private var interimCount = 0
    private var facts: ClientAnswer.Facts?
    private var framing = BodyFraming.none
    private var remaining: UInt64 = 0
    private var decoder: ChunkedDecoder
    private let content = SecretBuffer()
    private var hasBegun = false

    /// Reads in one step; each is a block at most.
    private static let readLimit = 8
    /// More interim answers than this are a server that has lost its way.
    private static let interimLimit = 16
    /// Less than a block, so that a head seldom makes the input grow: only one that came ahead into a small block does.
    private static let headLimit = 16 * 1024

    init(_ call: ClientCall, on channel: Channel, of loop: EventLoop) {
        self.channel = channel
        self.loop = loop
        method = HTTPMethod(Array(call.method.utf8).span)
        answerLimit = max(0, call.answerLimitBytes)
        var limits = HTTPLimits()
        limits.headBytes = Self.headLimit
        limits.contentBytes = UInt64(answerLimit)
        self.limits = limits
        decoder = ChunkedDecoder(limits: limits)
        call.write(into: &output)
    }

    /// What it is doing, for a sentence.
    var phase: String {
        if facts != nil { return "the answer was coming in, after \(content.count) bytes of it" }
        if hasBegun { return "the head of the answer was coming in" }
        return output.isEmpty ? "waiting for the answer" : "the request was being sent"
    }

    /// Sends and receives for as long as the connection does not block, a bounded number of times.
    ///
    /// - Returns: whether anything moved.
    func move() throws(ClientCallFailure) -> Bool {
        var hasMoved = try send()
        for _ in 0..<Self.readLimit {
            let outcome: Channel.ReadOutcome
            do throws(IOFailure) { outcome = try channel.read(into: &input) } catch {
                try finish(error)
                return true
            }
            switch outcome {
            case .blocked: return hasMoved
            case .ended:
                try finish(nil)
                return true
            case .bytes:
                hasBegun = true
                hasMoved = true
            }
            try take()
            if answer != nil { return true }
        }
        return hasMoved
    }

    /// A server may answer before it has the whole request, and stop to listen: then its answer counts.
    private func send() throws(ClientCallFailure) -> Bool {
        guard !output.isEmpty else { return false }
        let before = output.count
        do throws(IOFailure) {
            _ = try channel.write(from: &output, wiping: true)
        } catch {
            output.wipe()
            return true
        }
        return output.count < before
    }

    // MARK: The answer

    private func take() throws(ClientCallFailure) {
        do throws(HTTPError) {
            if facts == nil { try takeHead() }
            if facts != nil, answer == nil { try takeContent() }
        } catch {
            switch error.rule {
            case .contentTooLarge: throw .tooLarge(limit: answerLimit)
            case .headLength, .trailerLength: throw .tooLarge(limit: Int(clamping: error.value))
            default: throw .nonsense(error)
            }
        }
        if content.count > answerLimit { throw .tooLarge(limit: answerLimit) }
    }

    private func takeHead() throws(HTTPError) {
        while facts == nil, !input.isEmpty {
            guard let count = try HeadParser.parseResponse(input, into: &head, limits: limits) else { return }
            if head.isInterim {
                interimCount += 1
                if interimCount > Self.interimLimit { throw HTTPError(.statusLine, at: 9) }
                consume(count)
                continue
            }
            framing = try Self.framing(head, in: input, to: method)
            facts = Self.facts(head, in: input)
            consume(count)
            switch framing {
            case .none, .tunnel: complete()
            case .length(let length):
                guard length <= UInt64(answerLimit) else { throw HTTPError(.contentTooLarge, limit: answerLimit) }
                remaining = length
                if length == 0 { complete() }
            case .chunked, .untilClose: break
            }
        }
    }

    private func takeContent() throws(HTTPError) {
        guard !input.isEmpty else { return }
        if case .chunked = framing { return try takeChunks() }
        var count = input.count
        if case .length = framing, remaining < UInt64(count) { count = Int(remaining) }
        content.append(input.readable.extracting(first: count))
        consume(count)
        if case .length = framing {
            remaining -= UInt64(count)
            if remaining == 0 { complete() }
        }
    }

    private func takeChunks() throws(HTTPError) {
        let position = try Self.takeChunks(from: input, &decoder, into: content)
        consume(position)
        if decoder.hasEnded { complete() }
    }

    // Spans of a buffer last for one access to it: these have it for as long as they need.

    private static func framing(
        _ head: ResponseHead, in input: borrowing ByteBuffer, to method: HTTPMethod
    ) throws(HTTPError) -> BodyFraming {
        try BodyFraming.response(head, in: input.readable, to: method, askedWebSocket: false)
    }

    private static func facts(_ head: ResponseHead, in input: borrowing ByteBuffer) -> ClientAnswer.Facts {
        ClientAnswer.Facts(head, in: input.readable)
    }

    /// - Returns: how many bytes are used up.
    private static func takeChunks(
        from input: borrowing ByteBuffer, _ decoder: inout ChunkedDecoder, into content: SecretBuffer
    ) throws(HTTPError) -> Int {
        var position = 0
        while true {
            switch try decoder.next(input.readable, &position) {
            case .data(let range): content.append(input.readable.extracting(range))
            case .needMore, .end: return position
            }
        }
    }

    private func complete() {
        guard let facts else { return }
        answer = ClientAnswer(facts, content: content.secret)
    }

    /// The server has ended the connection, or it broke. Only an answer without another end is whole then, and only if
    /// the end was in order.
    private func finish(_ failure: IOFailure?) throws(ClientCallFailure) {
        if facts != nil, case .untilClose = framing, failure == nil { return complete() }
        guard facts != nil else {
            throw .cut(hasBegun ? "in the head of the answer" : "before it answered", failure)
        }
        let of = if case .length = framing { " of \(UInt64(content.count) + remaining)" } else { "" }
        throw .cut("after \(content.count)\(of) bytes of the answer", failure)
    }

    private func consume(_ count: Int) {
        input.consumeWiping(count)
        // Not only what was consumed: the bytes may have been moved within the block.
        if input.isEmpty { input.wipe() }
    }

    /// Closes the connection and overwrites what is left of the request and the answer.
    func end() {
        if answer == nil { channel.abort() } else { channel.close() }
        input.wipe()
        output.wipe()
        loop.buffers.reclaim(&input)
        loop.buffers.reclaim(&output)
    }
}
