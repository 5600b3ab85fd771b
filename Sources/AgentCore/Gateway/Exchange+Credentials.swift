// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Which credential goes with the call, and what happens when the upstream refuses it.
extension Exchange {
    /// Decides every injection of the route.
    ///
    /// - Parameter bound: of the boot clock, until when it may be waited for what is being fetched; nil counts from now.
    /// - Returns: false if that has to be waited for: see `waitForCredentials`.
    @inline(never)
    mutating func choose(_ routeState: RouteState, until bound: Int64? = nil) throws(ForwardFailure) -> Bool {
        if routeState.route.injections.isEmpty { return true }
        switch decide(routeState, bound: bound ?? credentialBound(routeState)) {
        case .chosen(let chosen):
            take(chosen)
            return true
        case .wait: return false
        case .fail(let error): throw .answer(error)
        }
    }

    /// Waits, within the route's bound, for credentials that are being fetched, and decides.
    @inline(never)
    mutating func waitForCredentials(_ routeState: RouteState) async throws(ForwardFailure) {
        let bound = credentialBound(routeState)
        repeat { try await waitForPublication(until: bound) } while try !choose(routeState, until: bound)
    }

    private mutating func credentialBound(_ routeState: RouteState) -> Int64 {
        state.now.boot + routeState.route.timeouts.credentialWait
    }

    private mutating func take(_ chosen: [Pick]) {
        picks = chosen
        record.credential = chosen.first?.name
        record.link = chosen.first?.link
    }

    /// A credential was chosen that may not be sent any more, or has been renewed since: what the table holds instead
    /// says nothing about the end of the one that was chosen.
    @inline(never)
    mutating func arePicksOutdated() -> Bool {
        picks.contains { pick in
            guard let place = table.position(of: pick.name) else { return true }
            let snapshot = table.snapshots[place]
            return snapshot.credential?.generation != pick.generation || !snapshot.isUsable(at: state.now)
        }
    }

    private enum Choice {
        case chosen([Pick])
        case wait
        case fail(ErrorAnswer)
    }

    private mutating func decide(_ routeState: RouteState, bound: Int64) -> Choice {
        let route = routeState.route
        let table = table
        let now = state.now
        // At the first decision of a call the memory of the last call's picks serves again.
        var chosen: [Pick] = []
        if picks.isEmpty { swap(&chosen, &picks) }
        for number in route.injections.indices {
            let injection = route.injections[number]
            let decision = table.decide(injection.chain, clientBrought: facts.bringsCredential, at: now, bound: bound)
            switch decision {
            case .use(let link, let why, let passed):
                for other in 0..<passed where other != link {
                    if case .credential(let place) = injection.chain.links[other] { table.demand(place) }
                }
                // The caller's own passes by itself.
                guard case .credential(let place) = injection.chain.links[link], let form = injection.forms[link]
                else { continue }
                guard let rendered = table.use(place, as: form, slot: injection.lineSlots[link]) else {
                    // Cannot be, since what is used is held; and if it were, no call goes out without its credential.
                    return .fail(noCredential([], retryAt: nil, now: now))
                }
                note(routeState, number, link: link, why: why)
                chosen.append(
                    Pick(
                        line: rendered.line, name: injection.names[link], link: link,
                        generation: rendered.generation, why: why))
            case .wait(let link):
                if case .credential(let place) = injection.chain.links[link] { table.demand(place) }
                return .wait
            case .fail(let failures, let retryAt):
                for case .credential(let place) in injection.chain.links { table.demand(place) }
                note(routeState, number, link: nil, why: nil)
                return .fail(noCredential(failures, retryAt: retryAt, now: now))
            }
        }
        return .chosen(chosen)
    }

    private mutating func note(_ routeState: RouteState, _ injection: Int, link: Int?, why: Chain.Reason?) {
        guard routeState.notice(injection, link: link, why: why) else { return }
        state.tellOfChain(routeState, injection, link: link, why: why)
    }

    private mutating func noCredential(_ failures: [Chain.LinkFailure], retryAt: Int64?, now: HostTime) -> ErrorAnswer {
        let reasons = failures.map(\.message).joined(separator: "; ")
        return ErrorAnswer(
            503, "no-credential",
            "no credential can be used for this route: \(reasons); `gateway-agent status` shows more",
            retryAfter: seconds(until: retryAt, now))
    }

    /// For `Retry-After`: whole seconds until a moment of the boot clock, one at least.
    func seconds(until moment: Int64?, _ now: HostTime) -> Int64? {
        moment.map { max(1, ($0 - now.boot + 999_999_999) / 1_000_000_000) }
    }

    /// Parks until the engine publishes anything on this loop, or `bound` of the boot clock has come.
    private mutating func waitForPublication(until bound: Int64) async throws(ForwardFailure) {
        let table = table
        table.addWaiter(caller.parker)
        defer { table.removeWaiter(caller.parker) }
        let remaining = bound - state.now.boot
        _ = await caller.parker.park(until: state.loop.now + max(0, remaining))
        if caller.hasLeft { throw .callerLeft }
    }

    // MARK: Refusal by the upstream

    /// Whether the answer's status is one by which a credential is refused.
    @inline(never)
    mutating func mayBeRefusal(_ upstream: borrowing ClientConnection, _ route: Route) -> Bool {
        switch upstream.head.status {
        case 401: !picks.isEmpty
        case 403: !picks.isEmpty && route.spec.gateway == .coder
        default: false
        }
    }

    /// Whether the answer says that the credential is not accepted: 401, or what the gateway says instead.
    mutating func isRefusal(_ upstream: inout ClientConnection, _ headCount: Int, _ route: Route) async -> Bool {
        upstream.head.status == 401 ? true : await isCoderRefusal(&upstream, headCount, route)
    }

    /// Coder answers 403 to many things; only a text of this one word means an expired token.
    private mutating func isCoderRefusal(_ upstream: inout ClientConnection, _ headCount: Int, _ route: Route) async
        -> Bool
    {
        let word = Array("unauthorized".utf8)
        guard case .length(let length)? = try? upstream.responseFraming(facts), length <= 64 else { return false }
        let end = headCount + Int(length)
        let deadline = state.loop.now + route.timeouts.header
        while upstream.input.count < end {
            guard let outcome = try? upstream.channel.read(into: &upstream.input), outcome != .ended else {
                return false
            }
            if outcome == .blocked {
                if caller.hasLeft { return false }
                if await caller.parker.park(until: deadline) == .timedOut { return false }
            }
        }
        let text = (headCount..<end).map { upstream.input[$0] }
        return text.starts(with: word) && text.dropFirst(word.count).allSatisfy { $0 == 0x0A || $0 == 0x0D }
    }

    /// Tells the engine of the refusal and waits, within the route's bound, for something better to send.
    ///
    /// - Returns: true if `picks` are new and the request can go again; else the refusal is the caller's answer, and
    ///   `reason` says why.
    mutating func hasBetterCredential(_ routeState: RouteState, _ attempts: inout Attempts) async -> Bool {
        let table = table
        for pick in picks {
            attempts.refused.append(.init(name: pick.name, generation: pick.generation))
            table.reject(pick.name, generation: pick.generation)
        }
        let names = picks.map(\.name).joined(separator: ", ")
        guard attempts.replays < Attempts.replayLimit else {
            reason = "the upstream rejected \(names) again after it was renewed"
            return false
        }
        guard held.canBeSentAgain, !upload.hadTrailers else {
            reason = "the upstream rejected \(names), and the request is larger than replayBodyBytes"
            return false
        }
        let bound = credentialBound(routeState)
        while true {
            switch decide(routeState, bound: bound) {
            case .chosen(let chosen):
                if isNew(chosen, attempts) {
                    take(chosen)
                    attempts.replays += 1
                    return true
                }
                // The same again. The engine may not have heard of the refusal yet: its next word on it decides.
                guard !hasEngineAnswered(attempts), state.now.boot < bound else {
                    reason = "the upstream rejected \(names), and there is no newer value"
                    return false
                }
                fallthrough
            case .wait:
                do { try await waitForPublication(until: bound) } catch { return false }
            case .fail:
                reason = "the upstream rejected \(names), and it could not be renewed"
                return false
            }
        }
    }

    /// One of `chosen` was not refused in this call. Which of several it was that the upstream meant, nobody knows; that one
    /// has been renewed is reason enough to ask again, as often as `Attempts.replayLimit` allows.
    private func isNew(_ chosen: [Pick], _ attempts: Attempts) -> Bool {
        chosen.contains { pick in
            !attempts.refused.contains { $0.name == pick.name && $0.generation == pick.generation }
        }
    }

    /// The engine knows of every refusal of this call: it has marked the value, or holds another. That something was
    /// published says nothing, since it may have been on its way before.
    private func hasEngineAnswered(_ attempts: Attempts) -> Bool {
        attempts.refused.allSatisfy { refused in
            guard let place = table.position(of: refused.name) else { return true }
            let snapshot = table.snapshots[place]
            return snapshot.credential?.generation != refused.generation || snapshot.isRejected(at: state.now)
                || snapshot.isRetired
        }
    }
}
