// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One caller's connection from its acceptance to its end: who it is, and its requests one after the other.
struct Caller: ~Copyable {
    private let state: LoopState
    /// Who owns the other end; nil if that could not be established, and then everything is refused.
    let uid: UInt32?
    private var exchange: Exchange
    var channel: Channel { exchange.caller.channel }
    /// Whether anything is permitted to the caller, and the plan that said so.
    private var standing = AccessPolicy.Decision.refused
    private var judge: GatewayPlan?

    /// Nanoseconds that a caller is waited for, between requests and in the middle of a head, who is permitted nothing or
    /// whose groups have not been asked for yet: it has no right to keep a connection from others.
    static let strangerPatience: Int64 = 3_000_000_000

    init(_ connection: consuming ServerConnection, isUnix: Bool, state: LoopState) {
        self.state = state
        uid = Self.owner(of: connection.channel.rawDescriptor, isUnix: isUnix, state: state)
        exchange = Exchange(connection, uid: uid, state: state)
    }

    /// Once a connection: the kernel remembers who connected, and the answer cannot change while our end is open.
    private static func owner(of descriptor: Int32, isUnix: Bool, state: LoopState) -> UInt32? {
        if isUnix {
            return try? PeerCredentials.ofUnixPeer(descriptor).uid
        }
        return try? state.diagnosis?.peerOwner(of: descriptor)
    }

    /// Serves requests until the connection ends.
    mutating func serve() async {
        while true {
            let timeouts = state.plan.timeouts
            takeStanding()
            let patience = standing == .permitted ? .max : Self.strangerPatience
            do {
                let headCount = try await exchange.caller.nextRequest(
                    limits: state.plan.limits, idleTimeout: min(timeouts.keepAlive, patience),
                    headTimeout: min(timeouts.requestHead, patience))
                takeStanding()
                if standing == .needsGroups, let uid {
                    await state.lookUpMemberships(of: uid)
                    takeStanding()
                }
                exchange.isStranger = standing == .refused
                switch await exchange.run(headCount: headCount) {
                case .keepAlive: if state.isDraining { return exchange.caller.close() }
                case .close: return exchange.caller.close()
                case .linger: return await exchange.caller.closeLingering()
                case .abort: return exchange.caller.abort()
                }
            } catch {
                return await end(error)
            }
        }
    }

    /// Once a connection and plan, as long as no groups have to be looked up.
    @inline(never)
    private mutating func takeStanding() {
        guard judge !== state.plan || standing == .needsGroups else { return }
        judge = state.plan
        standing = AccessPolicy.standing(
            of: uid, memberships: uid.flatMap { state.memberships(of: $0) }, under: state.plan.policies)
    }

    /// Ends a connection beyond the share of its user: tells why, as far as that can be done without waiting.
    mutating func turnAway() {
        let who = uid.map { "uid \($0) holds" } ?? "callers whose owner is not known hold"
        write(
            503, "too-many-connections",
            "\(who) as many connections as one user may, a quarter of limits.connections; close some or raise the limit"
        )
        _ = try? exchange.caller.channel.write(from: &exchange.caller.output)
        exchange.caller.channel.shutdownWriting()
        // What has come is taken, since a close with unread bytes would reset the connection before the answer is read.
        _ = try? exchange.caller.channel.read(into: &exchange.caller.input)
        exchange.caller.close()
    }

    private mutating func end(_ end: ServerConnection.End) async {
        switch end {
        case .closed, .idle, .truncated, .failed:
            exchange.caller.close()
        case .headTimeout:
            await answer(
                408, "request-head-timeout", "the head of the request did not arrive in time; send it in one piece")
        case .refused(let error):
            await answer(error.status, error.code, error.description)
        }
    }

    /// Refuses bytes that make no request: there is no route, and nothing behind them can be trusted.
    private mutating func answer(_ status: Int, _ code: String, _ message: String) async {
        write(status, code, message)
        if await exchange.caller.flush(by: state.loop.now + state.plan.timeouts.requestHead) {
            await exchange.caller.closeLingering()
        } else {
            exchange.caller.abort()
        }
    }

    /// Counts and tells of it, and puts the answer where it is sent from.
    private mutating func write(_ status: Int, _ code: String, _ message: String) {
        let request = state.nextRequest()
        let answer = ErrorAnswer(status, code, message)
        state.meters.countRefusal(code)
        state.accessLog.record(
            AccessRecord(request: request, method: "-", peer: uid, status: status, failure: code))
        let json = answer.json(for: .generic, request: request.description)
        LocalAnswer.begin(status, date: state.currentDate(), into: &exchange.caller.output)
        HeadWriter.append("gateway-agent-error", code.utf8.span, into: &exchange.caller.output)
        LocalAnswer.finish(
            type: "application/json", content: json.utf8.span, to: .get, keepsAlive: false, client: .http11,
            into: &exchange.caller.output)
    }
}
