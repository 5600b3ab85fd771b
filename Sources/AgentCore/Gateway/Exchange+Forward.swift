// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The way of a call to its upstream: credential, connection, request, answer; and the two reasons to try once more.
extension Exchange {
    /// What has been tried for this call.
    struct Attempts {
        /// Sent again after the upstream refused the credential.
        var replays = 0
        /// Sent again after a kept connection turned out to be dead.
        var isFreshRetry = false
        var refused: [Refused] = []

        struct Refused {
            let name: String
            let generation: UInt64
        }

        /// One with the renewed credential, and where the route falls back on a refusal, one with the next link.
        static let replayLimit = 2
    }

    /// Sends the prepared request to the route's upstream and brings the answer back.
    mutating func forward(_ routeState: RouteState) async -> End {
        let route = routeState.route
        var attempts = Attempts()
        routeState.meter.active += 1
        defer { routeState.meter.active -= 1 }
        do throws(ForwardFailure) {
            while true {
                if picks.isEmpty, try !choose(routeState) { try await waitForCredentials(routeState) }
                // What can be done without waiting is done without a call that could: each of those has its price.
                var upstream =
                    if let kept = kept(routeState, attempts) { kept } else { try await connect(routeState) }
                let headCount: Int
                do throws(ForwardFailure) {
                    // Dialling takes its time, and what has ended or was renewed meanwhile is not sent.
                    if !upstream.value.isReused, arePicksOutdated() {
                        picks.removeAll(keepingCapacity: true)
                        if try !choose(routeState) { try await waitForCredentials(routeState) }
                    }
                    send(to: &upstream.value)
                    headCount = try await awaitHead(&upstream.value, route)
                } catch {
                    upstream.value.abort()
                    guard case .died = error, mayRetry(upstream.value, attempts) else { throw error }
                    attempts.isFreshRetry = true
                    continue
                }
                if mayBeRefusal(upstream.value, route), await isRefusal(&upstream.value, headCount, route),
                    await hasBetterCredential(routeState, &attempts)
                {
                    record.isReplayed = true
                    upstream.value.close()
                    continue
                }
                return await relay(upstream, headCount: headCount, routeState)
            }
        } catch {
            return await end(error)
        }
    }

    /// Why a call cannot be brought to its end. Indirect: every place that can throw it keeps room for it.
    indirect enum ForwardFailure: Error {
        /// The caller has left; nobody waits for an answer.
        case callerLeft
        /// The caller's content broke off, or its framing is wrong.
        case callerCut(HTTPError?)
        /// The upstream's connection ended before an answer.
        case died(String)
        /// Everything that has an answer of its own.
        case answer(ErrorAnswer)
    }

    mutating func end(_ failure: ForwardFailure) async -> End {
        switch failure {
        case .callerLeft:
            finish(status: nil, failure: "client-gone")
            return .close
        case .callerCut(nil):
            finish(status: nil, failure: "client-cut")
            return .abort
        case .callerCut(let error?):
            return await answer(ErrorAnswer(error.status, error.code, error.description))
        case .died(let reason):
            return await answer(
                ErrorAnswer(
                    502, "upstream-died", "\(upstreamName) ended the connection before it answered: \(reason)"))
        case .answer(let error):
            return await answer(error)
        }
    }

    var upstreamName: String { route.map { $0.origin.endpoint.description } ?? "the upstream" }

    // MARK: Connection

    /// An idle connection, unless one has just turned out to be dead.
    @inline(never)
    private mutating func kept(_ routeState: RouteState, _ attempts: Attempts) -> OwnedBox<ClientConnection>? {
        guard !attempts.isFreshRetry, let connection = routeState.pool.take(for: caller.parker) else { return nil }
        state.meters.reusedUpstreamConnections &+= 1
        return connection
    }

    private mutating func connect(_ routeState: RouteState) async throws(ForwardFailure) -> OwnedBox<ClientConnection> {
        let route = routeState.route
        let channel = caller.channel
        do {
            let connection = try await routeState.pool.connect(
                for: caller.parker, by: state.loop.now + route.timeouts.connect, while: { !channel.hasLeft })
            state.meters.upstreamConnections &+= 1
            return connection
        } catch {
            switch error {
            case .abandoned: throw .callerLeft
            case .timedOut: throw .answer(ErrorAnswer(504, "\(error.code)", error.description))
            case .unreachable:
                let repair = "see whether the upstream of route \(route.spec.prefix) runs"
                throw .answer(ErrorAnswer(502, "\(error.code)", "\(error); \(repair)"))
            default: throw .answer(ErrorAnswer(502, "\(error.code)", error.description))
            }
        }
    }

    /// Whether the request goes out once more on a fresh connection: a kept one may die at the very moment it is used
    /// again. Only a request that may be executed twice, since nobody knows how far the first one came (RFC 9110
    /// §9.2.2, RFC 9112 §9.3.1).
    @inline(never)
    private mutating func mayRetry(_ upstream: borrowing ClientConnection, _ attempts: Attempts) -> Bool {
        upstream.isReused && !upstream.hasAnswered && !attempts.isFreshRetry && facts.method.isIdempotent
            && held.canBeSentAgain && !upload.hadTrailers
    }

    // MARK: Request

    /// Puts the request into the connection's output: the head with the credentials, and the content that was sent
    /// before, if this is not the first time.
    @inline(never)
    private mutating func send(to upstream: inout ClientConnection) {
        isUploadRefused = false
        interimCount = 0
        let isWhole = upload.isComplete
        // Content that is still to come goes into the same block.
        caller.loop.buffers.lend(to: &upstream.output, for: isWhole ? bytesToSend : BufferPool.blockSize)
        let framing = upload.contentCount > 0 || isWhole ? facts.framing : nil
        upstream.carriesSecret = true
        Self.write(held, picks, content: framing, isWhole: isWhole, into: &upstream.output)
    }

    /// With the content framed anew, about.
    private var bytesToSend: Int {
        var count = held.head.count + held.body.count + 64
        for pick in picks { count += pick.line.count }
        return count
    }

    private static func write(
        _ held: borrowing HeldRequest, _ picks: [Pick], content framing: BodyFraming?, isWhole: Bool,
        into output: inout ByteBuffer
    ) {
        held.append(to: &output)
        for pick in picks { HeadWriter.append(lines: pick.line, into: &output) }
        HeadWriter.end(into: &output)
        if let framing { held.appendBody(as: framing, isWhole: isWhole, to: &output) }
    }

    /// Sends the content as it comes, until the head of the final answer is there.
    ///
    /// - Returns: its length in the connection's input.
    private mutating func awaitHead(_ upstream: inout ClientConnection, _ route: Route) async throws(ForwardFailure)
        -> Int
    {
        var deadline = answerDeadline(route)
        while true {
            if try pumpUpload(&upstream) { deadline = answerDeadline(route) }
            if let count = try readHead(&upstream) { return count }
            do throws(IOFailure) {
                if !caller.output.isEmpty { _ = try caller.channel.write(from: &caller.output) }
            } catch { throw .callerLeft }
            if caller.hasLeft { throw .callerLeft }
            if isUploadBusy {
                await Task.yield()
            } else if await caller.parker.park(until: deadline) == .timedOut {
                throw .answer(lateAnswer(upstream, route))
            }
        }
    }

    /// While content is under way either side may be the slow one, and a pause is bounded; after it the upstream thinks.
    private mutating func answerDeadline(_ route: Route) -> Int64 {
        state.loop.now + (upload.isComplete ? route.timeouts.header : route.timeouts.idle)
    }

    @inline(never)
    private mutating func lateAnswer(_ upstream: borrowing ClientConnection, _ route: Route) -> ErrorAnswer {
        if upload.isComplete {
            let waited = ReadableDuration(route.timeouts.header)
            return ErrorAnswer(
                504, "upstream-timeout",
                "\(upstreamName) did not answer within \(waited); raise the route's timeouts.header if it needs longer")
        }
        let waited = ReadableDuration(route.timeouts.idle)
        if upstream.output.isEmpty, upstream.piped == nil {
            return ErrorAnswer(408, "request-timeout", "no more of the request's content came for \(waited)")
        }
        return ErrorAnswer(504, "upstream-timeout", "\(upstreamName) took no more of the request for \(waited)")
    }

    /// Reads what has arrived of an answer; interim ones are passed on at once.
    @inline(never)
    private mutating func readHead(_ upstream: inout ClientConnection) throws(ForwardFailure) -> Int? {
        while true {
            do {
                if let count = try upstream.parseHead(limits: state.plan.limits) {
                    guard upstream.head.isInterim else { return count }
                    guard interimCount < Self.interimLimit - count else {
                        throw ForwardFailure.answer(
                            ErrorAnswer(
                                502, "upstream-nonsense",
                                "\(upstreamName) sent more than \(Self.interimLimit) bytes of interim answers"))
                    }
                    interimCount += count
                    passOnInterim(&upstream, count)
                    continue
                }
            } catch let failure as ForwardFailure {
                throw failure
            } catch {
                throw .answer(
                    ErrorAnswer(502, "upstream-nonsense", "\(upstreamName) answered what is no HTTP: \(error)"))
            }
            do throws(IOFailure) {
                switch try upstream.channel.read(into: &upstream.input) {
                case .bytes: upstream.hasAnswered = true
                case .blocked: return nil
                case .ended: throw IOFailure.truncated
                }
            } catch {
                if case .truncated = error { throw .died("it was closed") }
                throw .died(error.description)
            }
        }
    }

    /// 100 is the agent's own affair (`inviteContent`); others are news for a caller that knows of them.
    private mutating func passOnInterim(_ upstream: inout ClientConnection, _ headCount: Int) {
        if upstream.head.status != 100, facts.version == .http11 {
            upstream.writeInterim(into: &caller.output)
        }
        upstream.input.consume(headCount)
    }

    // MARK: Content

    /// The upstream is still to get something of the request. All of it may have been taken from the caller, and stand in
    /// the connection's output because the kernel takes no more, or because it is sent for the second time.
    func hasUploadLeft(_ upstream: borrowing ClientConnection) -> Bool {
        !isUploadRefused && (!upload.isComplete || !upstream.output.isEmpty)
    }

    /// Moves request content from the caller to the upstream for as long as neither blocks, a bounded number of times.
    ///
    /// - Returns: whether anything moved.
    @inline(never)
    mutating func pumpUpload(_ upstream: inout ClientConnection) throws(ForwardFailure) -> Bool {
        var hasMoved = false
        isUploadBusy = false
        if isUploadRefused { return false }
        for _ in 0..<Self.turnLimit {
            // What is there may be the beginning of a trailer section, which goes on once it is whole.
            var needsMore = caller.input.isEmpty
            if !upload.isComplete, !caller.input.isEmpty, upstream.output.count < BufferPool.blockSize {
                let count = caller.input.count
                do throws(HTTPError) {
                    try upload.move(from: &caller.input, to: &upstream.output) { held.append($0) }
                } catch { throw .callerCut(error) }
                needsMore = caller.input.isEmpty || caller.input.count == count
            }
            if !upstream.output.isEmpty {
                do throws(IOFailure) {
                    let before = upstream.output.count
                    let isDone = try upload.isComplete ? upstream.post() : upstream.write()
                    hasMoved = hasMoved || upstream.output.count < before
                    if !isDone { return hasMoved }
                } catch {
                    // It may have answered before it stopped listening (413, 401): the answer decides.
                    isUploadRefused = true
                    return hasMoved
                }
            }
            if upload.isComplete { return hasMoved }
            if needsMore {
                inviteContent()
                // What is kept, to be sent again, has to be seen.
                if upstream.piped != nil || upload.isBulk && held.isOverflown {
                    let count = upload.contentCount
                    let result = upload.splice(
                        from: caller.channel, through: &upstream.piped, to: upstream.channel, &upstream.output)
                    hasMoved = hasMoved || upload.contentCount > count
                    switch result {
                    case .copy: if upload.isComplete || !upstream.output.isEmpty { continue }
                    case .blocked: return hasMoved
                    case .turn:
                        isUploadBusy = hasUploadLeft(upstream)
                        return hasMoved
                    case .sourceEnded, .sourceFailed: throw .callerCut(nil)
                    case .sinkFailed:
                        isUploadRefused = true
                        return hasMoved
                    }
                }
                do throws(IOFailure) {
                    switch try caller.channel.read(into: &caller.input) {
                    case .bytes: break
                    case .blocked: return hasMoved
                    case .ended: throw IOFailure.truncated
                    }
                } catch { throw .callerCut(nil) }
            }
        }
        isUploadBusy = hasUploadLeft(upstream)
        return hasMoved
    }

    /// Bytes of interim answers to one request, at most: they are passed on without waiting for the caller to take them.
    static let interimLimit = 256 << 10

    /// How often content is moved before others on the loop have their turn: 16 blocks are half a mebibyte.
    static let turnLimit = 16

    /// Answers `Expect: 100-continue`, now that there is a credential and a connection for the content.
    private mutating func inviteContent() {
        guard facts.expectsContinue else { return }
        facts.expectsContinue = false
        LocalAnswer.writeContinue(into: &caller.output)
        _ = try? caller.channel.write(from: &caller.output)
    }
}
