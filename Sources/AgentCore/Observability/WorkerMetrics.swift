// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What one data loop has counted (`LoopMeters`), at one moment: a scrape takes it of every loop and adds them up.
struct WorkerMetrics: Sendable, Equatable {
    var acceptedConnections: UInt64 = 0
    var openConnections: Int64 = 0
    /// Connections to upstreams: made, and used again.
    var upstreamConnections: UInt64 = 0
    var reusedUpstreamConnections: UInt64 = 0
    /// Reads and writes that io_uring(7) has made (`CrowdedCalls`).
    var ringCalls: UInt64 = 0
    /// Requests that reached no route, by a short fixed word for the reason: `bad-request`, `peer-not-allowed`.
    private(set) var refusals: [Refusal] = []
    private(set) var routes: [RouteMetrics] = []

    struct Refusal: Sendable, Equatable {
        let reason: String
        var count: UInt64
    }

    /// Most reasons that are told apart; a word that came from outside could not fill the memory.
    static let refusalLimit = 64

    /// The place of a route's counters in `routes`.
    mutating func slot(route: String) -> Int {
        if let index = routes.firstIndex(where: { $0.route == route }) { return index }
        routes.append(RouteMetrics(route: route))
        return routes.count - 1
    }

    mutating func countRefusal(_ reason: String) {
        addRefusal(reason, 1)
    }

    mutating func merge(_ other: WorkerMetrics) {
        acceptedConnections &+= other.acceptedConnections
        openConnections &+= other.openConnections
        upstreamConnections &+= other.upstreamConnections
        reusedUpstreamConnections &+= other.reusedUpstreamConnections
        ringCalls &+= other.ringCalls
        for refusal in other.refusals { addRefusal(refusal.reason, refusal.count) }
        for route in other.routes { merge(route) }
    }

    mutating func merge(_ route: RouteMetrics) {
        routes[slot(route: route.route)].merge(route)
    }

    private mutating func addRefusal(_ reason: String, _ count: UInt64) {
        if let index = refusals.firstIndex(where: { $0.reason == reason }) {
            refusals[index].count &+= count
        } else if refusals.count < Self.refusalLimit {
            refusals.append(Refusal(reason: reason, count: count))
        }
    }
}

/// The counters of one route.
struct RouteMetrics: Sendable, Equatable {
    /// Its prefix.
    let route: String
    /// Answers by the first digit of their status: `answers[2]` are the 2xx; 0 are calls without an answer.
    private(set) var answers = [UInt64](repeating: 0, count: 6)
    var receivedBytes: UInt64 = 0
    var sentBytes: UInt64 = 0
    /// Calls under way.
    var active: Int64 = 0
    /// Calls served by a link of the chain behind the first.
    var fallbacks: UInt64 = 0
    /// Calls sent again with a renewed credential.
    var replays: UInt64 = 0
    /// Calls for which no link of the chain was usable.
    var withoutCredential: UInt64 = 0
    /// Calls that ended early: by the caller, or by the upstream.
    var clientAborts: UInt64 = 0
    var upstreamFailures: UInt64 = 0
    var firstByte = Histogram()
    var duration = Histogram()

    init(route: String) {
        self.route = route
    }

    mutating func countAnswer(status: Int?) {
        let digit = (status ?? 0) / 100
        answers[answers.indices.contains(digit) ? digit : 0] &+= 1
    }

    /// Adds a finished call.
    mutating func count(_ call: borrowing AccessRecord) {
        countAnswer(status: call.status)
        receivedBytes &+= call.received
        sentBytes &+= call.sent
        if let link = call.link, link > 0 { fallbacks &+= 1 }
        if call.isReplayed { replays &+= 1 }
        if let failure = call.failure { count(failure, call.status) }
        if let time = call.firstByteNanoseconds { firstByte.record(nanoseconds: time) }
        duration.record(nanoseconds: call.durationNanoseconds)
    }

    private mutating func count(_ failure: String, _ status: Int?) {
        switch failure {
        case "no-credential": withoutCredential &+= 1
        case "client-gone", "client-cut", "client-stalled": clientAborts &+= 1
        // The upstream was not asked.
        case "groups-unknown": break
        // Of a tunnel neither side said anything.
        case "idle-timeout" where status == 101: break
        // In the middle of an answer, whose status says nothing of that.
        case "upstream-cut", "upstream-nonsense", "tunnel-cut", "idle-timeout": upstreamFailures &+= 1
        case _ where status == nil || (status ?? 0) >= 502: upstreamFailures &+= 1
        default: break
        }
    }

    mutating func merge(_ other: RouteMetrics) {
        for index in answers.indices { answers[index] &+= other.answers[index] }
        receivedBytes &+= other.receivedBytes
        sentBytes &+= other.sentBytes
        active &+= other.active
        fallbacks &+= other.fallbacks
        replays &+= other.replays
        withoutCredential &+= other.withoutCredential
        clientAborts &+= other.clientAborts
        upstreamFailures &+= other.upstreamFailures
        firstByte.merge(other.firstByte)
        duration.merge(other.duration)
    }
}
