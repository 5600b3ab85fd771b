// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct MetricsTests {
    @Test func `a metric is told as Prometheus reads it`() {
        var text = MetricsText()
        text.family("a_total", .counter, "What a counts.")
        text.sample(7)
        text.sample(8, ["route": "/a\"b\\c\nd/", "status": "2xx"])
        text.family("b_seconds", .gauge, "How long b is.")
        text.sample(nanoseconds: 1_500_000_000)
        text.sample(signed: -1)
        #expect(
            AgentCoreTests.text(of: text.buffer.readable) == #"""
                # HELP a_total What a counts.
                # TYPE a_total counter
                a_total 7
                a_total{route="/a\"b\\c\nd/",status="2xx"} 8
                # HELP b_seconds How long b is.
                # TYPE b_seconds gauge
                b_seconds 1.5
                b_seconds -1

                """#)
    }

    @Test func `a histogram counts upwards, bounds included`() {
        var histogram = Histogram()
        for nanoseconds: Int64 in [0, 1_000_000, 1_000_001, 400_000_000_000, -5] {
            histogram.record(nanoseconds: nanoseconds)
        }
        var text = MetricsText()
        text.family("h_seconds", .histogram, "H.")
        text.sample(histogram, ["route": "/"])
        let lines = AgentCoreTests.text(of: text.buffer.readable).split(separator: "\n").dropFirst(2)
        #expect(lines.first == "h_seconds_bucket{route=\"/\",le=\"0.001\"} 3")
        #expect(lines.dropFirst().first == "h_seconds_bucket{route=\"/\",le=\"0.005\"} 4")
        #expect(lines.contains("h_seconds_bucket{route=\"/\",le=\"+Inf\"} 5"))
        #expect(lines.suffix(2) == ["h_seconds_sum{route=\"/\"} 400.002", "h_seconds_count{route=\"/\"} 5"])
        #expect(lines.count == Histogram.bounds.count + 3)
    }

    @Test func `the loops are added up`() {
        var (one, two) = (WorkerMetrics(), WorkerMetrics())
        let first = one.slot(route: "/a/")
        #expect(one.slot(route: "/a/") == first)
        one.acceptedConnections = 2
        one.openConnections = 1
        one.ringCalls = 4
        one.countRefusal("bad-request")
        var route = RouteMetrics(route: "/a/")
        route.countAnswer(status: 200)
        route.countAnswer(status: nil)
        route.sentBytes = 5
        route.duration.record(nanoseconds: 1)
        one.merge(route)
        _ = two.slot(route: "/b/")
        two.ringCalls = 3
        two.countRefusal("bad-request")
        two.countRefusal("peer-not-allowed")
        route = RouteMetrics(route: "/a/")
        route.countAnswer(status: 204)
        route.countAnswer(status: 999)
        route.fallbacks = 1
        route.duration.record(nanoseconds: 1)
        two.merge(route)
        one.merge(two)
        #expect(one.acceptedConnections == 2 && one.openConnections == 1)
        #expect(one.refusals == [.init(reason: "bad-request", count: 2), .init(reason: "peer-not-allowed", count: 1)])
        #expect(one.routes.map(\.route) == ["/a/", "/b/"])
        #expect(one.routes.first?.answers == [2, 0, 2, 0, 0, 0])
        #expect(one.routes.first?.sentBytes == 5 && one.routes.first?.fallbacks == 1)
        #expect(one.routes.first?.duration.count == 2)
        var text = MetricsText()
        text.append(one)
        let lines = AgentCoreTests.text(of: text.buffer.readable).split(separator: "\n").map(String.init)
        #expect(lines.contains("gateway_agent_requests_total{route=\"/a/\",status=\"2xx\"} 2"))
        #expect(lines.contains("gateway_agent_requests_total{route=\"/a/\",status=\"none\"} 2"))
        #expect(lines.contains("gateway_agent_ring_calls_total 7"))
        #expect(lines.contains("gateway_agent_refusals_total{reason=\"bad-request\"} 2"))
        #expect(lines.contains("gateway_agent_request_seconds_count{route=\"/a/\"} 2"))
        let families = lines.filter { $0.hasPrefix("# TYPE") }
        #expect(Set(families).count == families.count)
    }

    /// By the words of `docs/operations.md`. What happens in the middle of an answer comes behind a status that says nothing
    /// of it.
    @Test(
        arguments: [
            (200, "client-gone", "client"), (nil, "client-cut", "client"), (200, "client-cut", "client"),
            (200, "client-stalled", "client"), (200, "upstream-cut", "upstream"),
            (200, "upstream-nonsense", "upstream"),
            (101, "tunnel-cut", "upstream"), (200, "idle-timeout", "upstream"), (101, "idle-timeout", "none"),
            (502, "unreachable", "upstream"),
            (504, "upstream-timeout", "upstream"), (503, "no-credential", "none"), (503, "groups-unknown", "none"),
            (408, "request-timeout", "none"), (403, "peer-not-allowed", "none"),
        ] as [(Int?, String, String)])
    func `a call that ended early counts against who ended it`(status: Int?, word: String, by: String) {
        var record = AccessRecord(request: RequestID(value: 1), method: "GET")
        record.status = status
        record.failure = word
        var route = RouteMetrics(route: "/a/")
        route.count(record)
        #expect(route.clientAborts == (by == "client" ? 1 : 0))
        #expect(route.upstreamFailures == (by == "upstream" ? 1 : 0))
    }

    @Test func `a credential without an end has no remaining life to tell`() {
        var text = MetricsText()
        text.append([
            CredentialMetrics(name: "key", isUsable: true),
            CredentialMetrics(name: "a", remainingNanoseconds: -1_500_000_000, mints: 3, fetches: 5, failures: 2),
        ])
        text.append(version: "1.0", started: HostTime(wall: 1_795_249_741_000_000_000, boot: 0))
        let samples = AgentCoreTests.text(of: text.buffer.readable).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            samples == [
                "gateway_agent_credential_usable{credential=\"a\"} 0",
                "gateway_agent_credential_usable{credential=\"key\"} 1",
                "gateway_agent_credential_remaining_seconds{credential=\"a\"} -1.5",
                "gateway_agent_credential_mints_total{credential=\"a\"} 3",
                "gateway_agent_credential_mints_total{credential=\"key\"} 0",
                "gateway_agent_credential_fetches_total{credential=\"a\"} 5",
                "gateway_agent_credential_fetches_total{credential=\"key\"} 0",
                "gateway_agent_credential_failures{credential=\"a\"} 2",
                "gateway_agent_credential_failures{credential=\"key\"} 0",
                "gateway_agent_info{version=\"1.0\"} 1", "gateway_agent_start_time_seconds 1795249741",
            ])
    }

    @Test func `reasons from outside cannot fill the memory`() {
        var metrics = WorkerMetrics()
        for number in 0..<1000 { metrics.countRefusal("reason-\(number)") }
        #expect(metrics.refusals.count == WorkerMetrics.refusalLimit)
    }
}
