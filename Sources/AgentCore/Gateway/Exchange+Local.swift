// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The agent's own endpoints, below `/-/` on every listener: health, status, metrics and tokens.
extension Exchange {
    /// Whether the request is for the agent itself. No route can begin so: the configuration refuses it.
    mutating func isForAgent() -> Bool {
        caller.withHead { head, bytes in
            let path = bytes.slice(head.pathRange)
            return path.count >= 3 && path[0] == UInt8(ascii: "/") && path[1] == UInt8(ascii: "-")
                && path[2] == UInt8(ascii: "/")
        }
    }

    mutating func serveLocal(headCount: Int) async -> End {
        do throws(ErrorAnswer) {
            try await checkAccess()
            guard facts.method == .get || facts.method == .head else {
                let (path, method) = caller.withHead { head, bytes in
                    (bytes.text(head.pathRange, limit: 300), bytes.text(head.methodRange, limit: 40))
                }
                throw ErrorAnswer(405, "method", "\(path) takes GET and HEAD, not \(method)")
            }
            switch caller.withHead({ AgentEndpoint($1.slice($0.pathRange)) }) {
            case .healthy:
                return await answer(200, type: "text/plain", content: "ok\n".utf8.span, headCount: headCount)
            case .status: return await answerStatus(headCount)
            case .metrics: return await answerMetrics(headCount)
            case .token: return try await answerToken(headCount)
            case nil:
                let path = caller.withHead { $1.text($0.pathRange, limit: 300) }
                throw ErrorAnswer(
                    404, "no-endpoint",
                    "there is no \(path); the agent answers /-/healthy, /-/status, /-/metrics and /-/token/NAME")
            }
        } catch {
            return await answer(error, headCount: headCount)
        }
    }

    private mutating func answerStatus(_ headCount: Int) async -> End {
        let document = StatusDocument(state).json()
        return await answer(200, type: "application/json", content: document.utf8.span, headCount: headCount)
    }

    private mutating func answerMetrics(_ headCount: Int) async -> End {
        let text = await state.renderMetrics()
        return await answer(200, type: MetricsText.contentType, content: text.utf8.span, headCount: headCount)
    }

    // MARK: Tokens

    /// Hands out a token with at least the life that `min-life` (seconds) asks for, from the cache if it can.
    ///
    /// Keys are never handed out: they do not end, and the point of the agent is that nobody on the host holds one.
    private mutating func answerToken(_ headCount: Int) async throws(ErrorAnswer) -> End {
        var table = state.credentials
        let found = caller.withHead { head, bytes in
            table.position(of: bytes.slice(head.pathRange).extracting(droppingFirst: AgentEndpoint.tokenPrefix.count))
        }
        guard var place = found else { throw unknownName() }
        let name = table.snapshots[place].name
        let query = try caller.tokenQuery()
        let life = query.life
        var wish = TokenWish(life: life, bound: state.now.boot + state.plan.timeouts.credentialWait)
        while true {
            // Each time: a reload may make another credential of the name.
            guard table.snapshots[place].kind == .token else {
                throw ErrorAnswer(
                    403, "key", "\(name) is a key, and keys are never handed out; call a route that injects it")
            }
            let now = state.now
            switch wish.decide(table.snapshots[place], at: now) {
            case .serve:
                guard let credential = table.snapshots[place].credential else { break }
                table.noteUse(place)
                record.credential = name
                return await answerToken(credential, at: now, asJSON: query.asJSON, headCount)
            case .refuse(let code, let message, let retryAt):
                table.demand(place)
                throw ErrorAnswer(503, code, message, retryAfter: seconds(until: retryAt, now))
            case .wait(let demands):
                if demands { table.demand(place, life: life) }
            }
            table.addWaiter(caller.parker)
            _ = await caller.parker.park(until: state.loop.now + max(0, wish.bound - now.boot))
            state.credentials.removeWaiter(caller.parker)
            if caller.hasLeft { throw ErrorAnswer(503, "client-gone", "the caller left") }
            // A reload may keep this caller out, too.
            try await checkAccess()
            table = state.credentials
            guard let new = table.position(of: name) else {
                throw ErrorAnswer(404, "no-such-credential", "\(name) was removed by a reload")
            }
            place = new
        }
    }

    private mutating func answerToken(_ credential: Credential, at now: HostTime, asJSON: Bool, _ headCount: Int) async
        -> End
    {
        var content = ByteBuffer(capacity: credential.secret.count + 128)
        defer { content.consumeWiping(content.count) }
        if asJSON {
            content.append("{\"token\":\"")
            credential.secret.withExposedBytes { content.append(jsonEscaped: $0) }
            content.append("\"")
            content.append(end: credential, at: now)
            content.append("}\n")
        } else {
            credential.secret.withExposedBytes { content.append($0) }
            content.append("\n")
        }
        return await answer(
            200, type: asJSON ? "application/json" : "text/plain", secretContent: content, headCount: headCount)
    }

    private mutating func unknownName() -> ErrorAnswer {
        let prefix = AgentEndpoint.tokenPrefix.count
        let name = caller.withHead { $1.text(ByteRange($0.pathRange.lower + prefix, $0.pathRange.upper), limit: 300) }
        let names = state.plan.credentialNames.sorted().joined(separator: ", ")
        return ErrorAnswer(
            404, "no-such-credential",
            "there is no credential \"\(name)\"; there are: \(names.isEmpty ? "none" : names)")
    }
}

/// What the agent answers by itself.
enum AgentEndpoint {
    case healthy, status, metrics
    /// With the name of the credential behind `tokenPrefix`.
    case token

    static let tokenPrefix = Array("/-/token/".utf8)

    init?(_ path: Span<UInt8>) {
        if path.behind(Self.tokenPrefix.span) != nil {
            self = .token
        } else if path.equals("/-/healthy".utf8.span) {
            self = .healthy
        } else if path.equals("/-/status".utf8.span) {
            self = .status
        } else if path.equals("/-/metrics".utf8.span) {
            self = .metrics
        } else {
            return nil
        }
    }
}
