// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One call: from the head of a request to the last byte of its answer.
///
/// The walk is in `run`, top to bottom. One value serves a connection for all its requests, so that the next one finds
/// its memory ready. It is the own value of its connection's one task, on the connection's loop: a class, or a property of
/// one, would be asked at every access whether somebody else has it in use, and there are a hundred of them in a call.
///
/// Its asynchronous functions only wait, and call steps that do not, and that are never inlined: whatever would be on the
/// stack of a step would else be in the frame of the function that waits, for as long as it does (`benchmarks/frames`).
struct Exchange: ~Copyable {
    var caller: ServerConnection
    let state: LoopState
    private let accessLog: AccessLog
    let uid: UInt32?

    /// What the request says, kept when its head has left the buffer.
    struct Facts {
        var method = HTTPMethod.get
        var version = HTTPVersion.http11
        var keepsAlive = false
        var asksWebSocket = false
        var expectsContinue = false
        var bringsCredential = false
        var framing = BodyFraming.none
    }

    var facts = Facts()
    var request = RequestID(value: 0)
    var record: AccessRecord
    var began: Int64 = 0
    /// Request content on its way to the upstream, and the answer's on its way back.
    var upload: BodyRelay
    var download: BodyRelay
    /// What may have to be sent again.
    var held: HeldRequest
    /// The credentials chosen, one for each injection of the route.
    var picks: [Pick] = []
    /// What the route's chains count in: a reload numbers the credentials anew, and a call under way goes on by the
    /// numbers that it began with.
    private(set) var table: CredentialTable
    /// The route in use, with what the loop keeps for it; nil before one is found, and for the agent's own endpoints.
    var routeState: RouteState?
    var route: Route? { routeState?.route }
    /// How the content is framed is known: only then can be told where the next request begins.
    var isFramed = false
    /// The head has left the caller's buffer.
    var hasConsumedHead = false
    /// The upstream takes no more of the request; its answer may still come.
    var isUploadRefused = false
    /// Bytes of interim answers so far.
    var interimCount = 0
    /// There is more of the request, or of the answer, to move than was moved in one turn.
    var isUploadBusy = false
    var isAnswerBusy = false
    /// Nothing is permitted to the caller, whatever it asks for: the answer ends the connection.
    var isStranger = false
    /// Told to the caller in `gateway-agent-reason` when an answer of the upstream is passed on that the agent tried to
    /// prevent.
    var reason: String?

    /// One field to be written into the request.
    struct Pick {
        let line: Secret
        let name: String
        let link: Int
        let generation: UInt64
        let why: Chain.Reason
    }

    /// What becomes of the caller's connection.
    enum End {
        case keepAlive
        case close
        /// The caller may still be sending: see `ServerConnection.closeLingering`.
        case linger
        /// The answer was cut.
        case abort
    }

    init(_ caller: consuming ServerConnection, uid: UInt32?, state: LoopState) {
        self.caller = caller
        self.uid = uid
        self.state = state
        table = state.credentials
        held = HeldRequest(state.heldContent)
        accessLog = state.accessLog
        upload = BodyRelay(limits: state.plan.limits)
        // What bounds a request's content does not bound an answer's.
        var answerLimits = state.plan.limits
        answerLimits.contentBytes = HTTPLimits().contentBytes
        download = BodyRelay(limits: answerLimits)
        record = AccessRecord(request: request, method: "")
    }

    /// Serves the request whose head is the first `headCount` bytes of the caller's input.
    mutating func run(headCount: Int) async -> End {
        begin()
        do throws(ErrorAnswer) {
            try checkRequest()
            guard let found = try findRoute() else { return await serveLocal(headCount: headCount) }
            if try needsGroups(for: found.route.access) { try await checkGroups(for: found.route.access) }
            try prepare(found.route, headCount: headCount)
            return await forward(found)
        } catch {
            return await answer(error, headCount: headCount)
        }
    }

    // MARK: Steps

    @inline(never)
    private mutating func begin() {
        request = state.nextRequest()
        began = state.loop.now
        takeTable()
        reason = nil
        routeState = nil
        isFramed = false
        hasConsumedHead = false
        isUploadRefused = false
        upload.reset()
        download.reset()
        // One or two, and so at a tenth of what `removeAll(keepingCapacity:)` costs.
        while picks.popLast() != nil {}
        facts = caller.withHead { head, _ in
            Facts(
                method: head.method, version: head.version, keepsAlive: head.keepsAlive,
                asksWebSocket: head.asksWebSocket, expectsContinue: head.expectsContinue,
                bringsCredential: !head.fields.names.isDisjoint(with: [.authorization, .xAPIKey, .apiKey]))
        }
        record = AccessRecord(request: request, method: caller.methodText)
        record.peer = uid
    }

    /// What is refused whatever the route.
    @inline(never)
    private mutating func checkRequest() throws(ErrorAnswer) {
        if isStranger { facts.keepsAlive = false }
        do throws(HTTPError) {
            try caller.checkServed()
            facts.framing = try caller.requestFraming(state.plan.limits)
            isFramed = true
        } catch {
            throw ErrorAnswer(error.status, error.code, error.description)
        }
        switch caller.refusal(by: state.plan) {
        case nil: break
        case .origin:
            throw ErrorAnswer(
                403, "origin", "requests with an Origin field are refused, since only a browser page sends it")
        case .fetchSite:
            throw ErrorAnswer(
                403, "fetch-site", "requests with Sec-Fetch-Site other than none are refused: a browser page sent it")
        case .host:
            let host = caller.withHead { $1.text($0.hostRange, limit: 100) }
            throw ErrorAnswer(
                403, "unknown-host",
                "the Host \"\(host)\" is not a name of this agent; call it as localhost, 127.0.0.1 or [::1]")
        }
        guard uid != nil else { throw Self.unknownPeer }
    }

    static var unknownPeer: ErrorAnswer {
        ErrorAnswer(403, "peer-unknown", "the owner of this connection could not be established; call from this host")
    }

    /// - Returns: nil if the request is for the agent itself.
    @inline(never)
    private mutating func findRoute() throws(ErrorAnswer) -> RouteState? {
        if isForAgent() { return nil }
        guard let found = caller.withHead({ [state] in state.route(for: $1.slice($0.pathRange)) }) else {
            throw ErrorAnswer(404, "no-route", noRouteMessage())
        }
        routeState = found
        record.route = found.prefix
        record.upstream = found.host
        return found
    }

    private mutating func noRouteMessage() -> String {
        let path = caller.withHead { $1.text($0.pathRange, limit: 100) }
        let prefixes = state.plan.routes.prefix(10).map(\.spec.prefix).sorted()
        guard !prefixes.isEmpty else { return "no routes are configured; add one to the agent's configuration" }
        return "no route for \(path); the routes are \(prefixes.joined(separator: ", "))"
    }

    /// Writes the head that goes to the upstream, without the credential, and lets the received one go.
    @inline(never)
    private mutating func prepare(_ route: Route, headCount: Int) throws(ErrorAnswer) {
        var options: HeadWriter.RequestOptions = []
        if facts.asksWebSocket { options.insert(.webSocket) }
        if caller.withHead({ $0.welcomesTrailers(in: $1) }) { options.insert(.trailersWelcome) }
        held.begin(
            caller.loop.buffers, bodyLimit: facts.framing.isEmpty ? 0 : route.spec.replayBodyBytes)
        do throws(HTTPError) {
            try caller.writeUpstreamHead(
                route, framing: facts.framing, options: options, into: &held.head)
        } catch {
            throw ErrorAnswer(error.status, error.code, error.description)
        }
        consumeHead(headCount)
        upload.begin(facts.framing, as: facts.framing, leavingOut: route.form.filter)
    }

    mutating func consumeHead(_ headCount: Int) {
        guard !hasConsumedHead else { return }
        hasConsumedHead = true
        caller.input.consume(headCount)
        // Whoever waits for an answer keeps no block; and the next use finds this one in the processor's cache.
        caller.loop.buffers.reclaim(&caller.input)
    }

    /// The call is over: counts it and tells of it.
    @inline(never)
    mutating func finish(status: Int?, failure: String? = nil) {
        record.status = status
        if let failure { record.failure = failure }
        record.received = upload.contentCount
        record.sent = max(record.sent, download.contentCount)
        record.durationNanoseconds = state.loop.now - began
        accessLog.record(record, at: state.now.wall)
        count()
        held.release(caller.loop.buffers)
        takeTable()
    }

    /// Asked first, since to store a reference is to count it.
    private mutating func takeTable() {
        if table !== state.credentials { table = state.credentials }
    }
}

extension Exchange {
    /// Adds the finished call to the route's counters.
    private mutating func count() {
        guard let routeState else {
            if record.failure != nil { state.meters.countRefusal(record.failure ?? "") }
            return
        }
        routeState.meter.count(record)
    }
}

extension BodyFraming {
    /// No content will come.
    var isEmpty: Bool {
        switch self {
        case .none, .length(0): true
        case .length, .chunked, .untilClose, .tunnel: false
        }
    }
}
