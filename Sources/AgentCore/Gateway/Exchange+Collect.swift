// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Answers whose end the caller could not tell from a cut.
///
/// For HTTP/1.0 the end of the connection is the end of an answer without a length. On TCP a cut is a reset; a Unix
/// socket knows none, and both look the same. Such an answer is taken whole first, and goes on with its length.
extension Exchange {
    /// Bytes of one answer, at most.
    static let collectLimit = 1 << 20

    /// Puts the whole content, without its framing, behind the answer's head in the upstream's input, where the answer
    /// could not be cut for the caller to see.
    ///
    /// - Returns: bytes of content, counted in `LoopState.heldContent` until the caller gives them back; nil if nothing
    ///   was done, since the answer has a length or no content.
    @inline(never)
    mutating func collect(
        _ upstream: inout ClientConnection, _ headCount: Int, _ route: Route
    ) async throws(ForwardFailure) -> UInt64? {
        guard let framing = try? upstream.responseFraming(facts), framing.towards(facts.version) == .untilClose else {
            return nil
        }
        if upstream.answersEventStream { throw unknownLength("is an event stream") }
        // An invitation would stand before an answer that has begun for the upstream.
        facts.expectsContinue = false
        var taken = 0
        do throws(ForwardFailure) {
            try await collect(&upstream, framing, headCount, &taken, route)
            return UInt64(taken)
        } catch {
            state.heldContent.giveBack(taken)
            throw error
        }
    }

    private mutating func collect(
        _ upstream: inout ClientConnection, _ framing: BodyFraming, _ headCount: Int, _ taken: inout Int, _ route: Route
    ) async throws(ForwardFailure) {
        var rest = ByteBuffer()
        rest.append(upstream.input.readable.extracting(droppingFirst: headCount))
        upstream.input.truncate(to: headCount)
        download.begin(framing, as: .untilClose)
        // What was collected in vain was not sent.
        defer { download.reset() }
        var deadline = state.loop.now + route.timeouts.idle
        while true {
            let count = download.contentCount
            let isWhole = try collectSome(&upstream, &rest)
            let more = Int(download.contentCount - count)
            if headCount + Self.collectLimit < upstream.input.count {
                throw unknownLength("tells no length and is longer than \(Self.collectLimit) bytes")
            }
            guard state.heldContent.take(more) else {
                throw unknownLength("tells no length, for now more than the agent can hold")
            }
            taken += more
            if isWhole { break }
            var hasMoved = more > 0
            if hasUploadLeft(upstream) {
                do throws(ForwardFailure) { hasMoved = try pumpUpload(&upstream) || hasMoved } catch {
                    throw .callerCut(nil)
                }
            }
            if caller.hasLeft { throw .callerLeft }
            if hasMoved { deadline = state.loop.now + route.timeouts.idle }
            if hasMoved || isUploadBusy {
                await Task.yield()
            } else if await caller.parker.park(until: deadline) == .timedOut {
                let waited = ReadableDuration(route.timeouts.idle)
                throw .answer(
                    ErrorAnswer(
                        504, "upstream-timeout",
                        "\(upstreamName) sent no more of its answer for \(waited); raise the route's timeouts.idle if it needs longer"
                    ))
            }
        }
        // Not of this answer: with it in its input the connection is of no further use.
        upstream.input.append(rest)
    }

    /// Takes what is there, to a bound.
    ///
    /// - Returns: whether the answer is whole.
    private mutating func collectSome(
        _ upstream: inout ClientConnection, _ rest: inout ByteBuffer
    ) throws(ForwardFailure) -> Bool {
        for _ in 0..<Self.turnLimit {
            do throws(HTTPError) { try download.move(from: &rest, to: &upstream.input) } catch {
                throw .answer(
                    ErrorAnswer(502, "upstream-nonsense", "\(upstreamName) answered what cannot be framed: \(error)"))
            }
            if download.isComplete { return true }
            do throws(IOFailure) {
                switch try upstream.channel.read(into: &rest) {
                case .bytes: break
                case .blocked: return false
                case .ended:
                    guard download.inputEnded(output: &upstream.input) else { throw .truncated }
                    return true
                }
            } catch {
                throw .answer(
                    ErrorAnswer(
                        502, "upstream-cut",
                        "\(upstreamName) ended the connection in the middle of its answer: \(error)"))
            }
        }
        return false
    }

    private func unknownLength(_ what: String) -> ForwardFailure {
        .answer(
            ErrorAnswer(
                502, "length-unknown",
                "the answer of \(upstreamName) \(what), and an HTTP/1.0 caller on a Unix socket could not tell its end from a cut; call with HTTP/1.1 (nginx: proxy_http_version 1.1) or over TCP"
            ))
    }
}

extension ClientConnection {
    /// Whether the answer goes on for as long as the upstream likes.
    fileprivate var answersEventStream: Bool {
        guard let range = head.fields[.contentType]?.valueRange else { return false }
        let bytes = input.readable
        var end = range.lower
        while end < range.upper, bytes[end] != UInt8(ascii: ";"), bytes[end] != UInt8(ascii: " ") { end += 1 }
        return bytes.isName(ByteRange(range.lower, end), Self.eventStream)
    }

    private static let eventStream = CaseFolded("text/event-stream")
}
