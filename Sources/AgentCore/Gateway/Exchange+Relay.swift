// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The answer on its way back, while the request may still be on its way out.
extension Exchange {
    /// What is known of an answer once its head has been passed on.
    private struct Course {
        let status: Int
        let isTunnel: Bool
        let keepsCaller: Bool
        let upstreamStays: Bool
    }

    /// Passes the answer on whose head is the first `headCount` bytes of the upstream's input.
    mutating func relay(_ upstream: consuming OwnedBox<ClientConnection>, headCount: Int, _ routeState: RouteState)
        async
        -> End
    {
        let route = routeState.route
        var collected: UInt64?
        if caller.isUnix, facts.version == .http10 {
            do throws(ForwardFailure) { collected = try await collect(&upstream.value, headCount, route) } catch {
                upstream.value.abort()
                return await end(error)
            }
        }
        defer { state.heldContent.giveBack(Int(collected ?? 0)) }
        let course: Course
        do throws(ErrorAnswer) {
            course = try beginAnswer(&upstream.value, headCount, collected, route)
        } catch {
            upstream.value.abort()
            return await answer(error)
        }
        if course.isTunnel { return await tunnel(upstream, status: course.status, route) }
        var deadline = state.loop.now + route.timeouts.idle
        var outcome = moveAnswer(&upstream.value, route, &deadline)
        while outcome == nil {
            if isAnswerBusy {
                // More may be ready at once: others on the loop first.
                await Task.yield()
            } else if await caller.parker.park(until: deadline) == .timedOut {
                outcome = .cut(isCallerIdle(upstream.value) ? "client-stalled" : "idle-timeout")
                break
            }
            outcome = moveAnswer(&upstream.value, route, &deadline)
        }
        if case .cut(let failure)? = outcome {
            upstream.value.abort()
            finish(status: course.status, failure: failure)
            return .abort
        }
        if hasUploadLeft(upstream.value), course.upstreamStays, course.status < 300 {
            if upload.isComplete { await endCaller() }
            await finishUpload(&upstream.value, route)
        }
        return endAnswer(upstream, course, routeState)
    }

    /// The caller is who is waited for: it takes no more of the answer, or sends no more of its request.
    private func isCallerIdle(_ upstream: borrowing ClientConnection) -> Bool {
        !caller.output.isEmpty || caller.piped != nil
            || hasUploadLeft(upstream) && upstream.output.isEmpty && upstream.piped == nil
    }

    /// Writes the head, and makes ready for the content.
    ///
    /// - Parameter collected: bytes of content that stand behind the head already, without framing.
    @inline(never)
    private mutating func beginAnswer(
        _ upstream: inout ClientConnection, _ headCount: Int, _ collected: UInt64?, _ route: Route
    ) throws(ErrorAnswer) -> Course {
        var framing: BodyFraming
        do throws(HTTPError) {
            framing = try upstream.responseFraming(facts)
        } catch {
            throw ErrorAnswer(502, "upstream-nonsense", "\(upstreamName) answered what cannot be framed: \(error)")
        }
        let status = upstream.head.status
        // An invitation after the answer's head would stand in its content.
        facts.expectsContinue = false
        let upstreamStays = upstream.keepsAlive(framing)
        if let collected { framing = .length(collected) }
        let outgoing = framing.towards(facts.version)
        // An answer that comes before the request is whole ends the caller's connection: what still comes could not be
        // told from a next request. So does one whose upstream is still given the rest: the next request would wait for that.
        let isFollowed = hasUploadLeft(upstream) && upstreamStays && status < 300
        let keepsCaller =
            facts.keepsAlive && !state.isDraining && upload.isComplete && !isFollowed && outgoing != .untilClose
        upstream.writeHead(
            facts, framing: outgoing, keepsAlive: keepsCaller, date: state.currentDate(), extra: extraFields(route),
            into: &caller.output)
        upstream.input.consume(headCount)
        record.firstByteNanoseconds = state.loop.now - began
        held.release(caller.loop.buffers)
        // A stream that is silent keeps no memory; the block would lie here until the next request.
        caller.loop.buffers.reclaim(&caller.input)
        download.begin(framing, as: outgoing)
        return Course(
            status: status, isTunnel: framing == .tunnel, keepsCaller: keepsCaller, upstreamStays: upstreamStays)
    }

    /// The answer is whole, and written.
    @inline(never)
    private mutating func endAnswer(
        _ upstream: consuming OwnedBox<ClientConnection>, _ course: Course, _ routeState: RouteState
    ) -> End {
        if course.upstreamStays, upload.isComplete, !isUploadRefused {
            let pool = routeState.pool
            if pool.give(upstream, callers: state.channels.count) { state.noteIdleUpstream(due: pool.nextExpiry) }
        } else {
            upstream.value.close()
        }
        finish(status: course.status)
        if course.keepsCaller { return .keepAlive }
        return upload.isComplete && caller.input.isEmpty ? .close : .linger
    }

    /// The answer's end may be that of the connection, and is not to wait for what the upstream still takes.
    private mutating func endCaller() async {
        await caller.settle(by: state.loop.now + state.plan.timeouts.requestHead)
        caller.channel.shutdownWriting()
    }

    /// The upstream has answered well before the request was whole, and goes on listening: it gets the rest. After an
    /// error, or from one that closes, nobody wants it (RFC 9112 §9.5).
    private mutating func finishUpload(_ upstream: inout ClientConnection, _ route: Route) async {
        var deadline = state.loop.now + route.timeouts.idle
        while hasUploadLeft(upstream) {
            do throws(ForwardFailure) {
                if try pumpUpload(&upstream) { deadline = state.loop.now + route.timeouts.idle }
            } catch { return }
            if caller.hasLeft || upstream.channel.isHungUp { return }
            if isUploadBusy {
                await Task.yield()
            } else if hasUploadLeft(upstream), await caller.parker.park(until: deadline) == .timedOut {
                return
            }
        }
    }

    private enum Outcome {
        case whole
        /// A short fixed word for the log.
        case cut(String)
    }

    /// Moves what is there of the answer, and what is left of the request.
    ///
    /// - Returns: how it ended; nil if more will come, at once if `isAnswerBusy`.
    @inline(never)
    private mutating func moveAnswer(
        _ upstream: inout ClientConnection, _ route: Route, _ deadline: inout Int64
    ) -> Outcome? {
        isAnswerBusy = false
        switch pumpDownload(&upstream) {
        case .moved: isAnswerBusy = true
        // All that was there has gone on: the stream lives, though there is nothing more to do now.
        case .blocked(let some): if some { deadline = state.loop.now + route.timeouts.idle }
        case .whole: return .whole
        case .failed(let failure): return .cut(failure)
        }
        if hasUploadLeft(upstream) {
            do throws(ForwardFailure) {
                if try pumpUpload(&upstream) { deadline = state.loop.now + route.timeouts.idle }
                if isUploadBusy { isAnswerBusy = true }
            } catch {
                // The caller cannot finish its request: nobody knows what the upstream makes of it.
                return .cut("client-cut")
            }
        }
        if caller.hasLeft { return .cut("client-gone") }
        if isAnswerBusy { deadline = state.loop.now + route.timeouts.idle }
        return nil
    }

    private enum Movement {
        /// There may be more at once.
        case moved
        case blocked(hasMoved: Bool)
        case whole
        case failed(String)
    }

    /// Moves answer content for as long as neither side blocks, a bounded number of times. Each piece is written as
    /// soon as it is there, and nothing is read while the last piece has not gone.
    private mutating func pumpDownload(_ upstream: inout ClientConnection) -> Movement {
        var hasMoved = false
        for _ in 0..<Self.turnLimit {
            // What is there may be the beginning of a trailer section, which goes on once it is whole.
            var needsMore = upstream.input.isEmpty
            if !download.isComplete, !upstream.input.isEmpty, caller.output.count < BufferPool.blockSize {
                let count = upstream.input.count
                do throws(HTTPError) {
                    try download.move(from: &upstream.input, to: &caller.output)
                } catch { return .failed("upstream-nonsense") }
                needsMore = upstream.input.isEmpty || upstream.input.count == count
            }
            if !caller.output.isEmpty {
                let count = caller.output.count
                do throws(IOFailure) {
                    let isDone = try caller.channel.post(&caller.output) == .done
                    hasMoved = hasMoved || caller.output.count < count
                    guard isDone else { return .blocked(hasMoved: hasMoved) }
                } catch { return .failed("client-gone") }
            }
            if download.isComplete { return .whole }
            guard needsMore else { continue }
            if caller.piped != nil || download.isBulk {
                let count = download.contentCount
                let result = download.splice(
                    from: upstream.channel, through: &caller.piped, to: caller.channel, &caller.output)
                hasMoved = hasMoved || download.contentCount > count
                switch result {
                case .copy: if download.isComplete || !caller.output.isEmpty { continue }
                case .blocked: return .blocked(hasMoved: hasMoved)
                case .turn: return .moved
                case .sourceEnded, .sourceFailed: return .failed("upstream-cut")
                case .sinkFailed: return .failed("client-gone")
                }
            }
            do throws(IOFailure) {
                // What has to be decrypted cannot be spliced; it goes on in fewer and larger pieces.
                if download.isBulk, !upstream.channel.isPlain { upstream.input.reserve(BufferPool.bulkSize) }
                switch try upstream.channel.read(into: &upstream.input) {
                case .bytes: break
                case .blocked: return .blocked(hasMoved: hasMoved)
                case .ended:
                    guard download.inputEnded(output: &caller.output) else { return .failed("upstream-cut") }
                }
            } catch { return .failed("upstream-cut") }
        }
        return .moved
    }

    /// Fields that the agent adds to an answer.
    private mutating func extraFields(_ route: Route) -> String {
        var text = ""
        if route.spec.showsCredential, let name = picks.first?.name {
            text += "gateway-agent-credential: \(name.headerText)\r\n"
        }
        if let reason { text += "gateway-agent-reason: \(reason.headerText)\r\n" }
        return text
    }

    // MARK: Upgrade

    /// Carries another protocol both ways until both sides have ended, or one breaks.
    ///
    /// The credential was in the handshake; a connection that lives longer than the token goes on, since the upstream
    /// has accepted it and neither side could tell the other of a new one.
    private mutating func tunnel(_ upstream: consuming OwnedBox<ClientConnection>, status: Int, _ route: Route) async
        -> End
    {
        upload.begin(.tunnel, as: .tunnel)
        var deadline = state.loop.now + route.timeouts.idle
        var failure: String?
        var (callerEnded, upstreamEnded) = (false, false)
        do throws(IOFailure) {
            while !(callerEnded && upstreamEnded) {
                let up = try Self.move(
                    caller.channel, &caller.input, &upload, upstream.value.channel, &upstream.value.output, &callerEnded
                )
                let down = try Self.move(
                    upstream.value.channel, &upstream.value.input, &download, caller.channel, &caller.output,
                    &upstreamEnded)
                if up || down {
                    deadline = state.loop.now + route.timeouts.idle
                    await Task.yield()
                } else if await caller.parker.park(until: deadline) == .timedOut {
                    failure = "idle-timeout"
                    break
                }
            }
        } catch {
            failure = caller.hasLeft && !upstream.value.channel.hasLeft ? "client-gone" : "tunnel-cut"
        }
        if failure == nil { upstream.value.close() } else { upstream.value.abort() }
        finish(status: status, failure: failure)
        return failure == nil ? .close : .abort
    }

    /// One direction of a tunnel.
    ///
    /// - Returns: whether bytes moved.
    private static func move(
        _ source: Channel, _ input: inout ByteBuffer, _ relay: inout BodyRelay, _ sink: Channel,
        _ output: inout ByteBuffer, _ hasEnded: inout Bool
    ) throws(IOFailure) -> Bool {
        var hasMoved = false
        for _ in 0..<turnLimit {
            if !input.isEmpty, output.isEmpty { do { try relay.move(from: &input, to: &output) } catch {} }
            if !output.isEmpty {
                guard try sink.write(from: &output) == .done else { return hasMoved }
                hasMoved = true
            }
            if hasEnded { return hasMoved }
            guard input.isEmpty else { continue }
            switch try source.read(into: &input) {
            case .bytes: break
            case .blocked: return hasMoved
            case .ended:
                hasEnded = true
                sink.shutdownWriting()
            }
        }
        return hasMoved
    }
}

extension String {
    /// Made fit for a field value: visible ASCII, bounded.
    fileprivate var headerText: String {
        String(decoding: utf8.prefix(400).map { 0x20...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
