// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension MetricsText {
    /// What all data loops together have counted.
    mutating func append(_ worker: WorkerMetrics) {
        family("gateway_agent_connections_accepted_total", .counter, "Connections of callers accepted.")
        sample(worker.acceptedConnections)
        family("gateway_agent_connections_open", .gauge, "Connections of callers open now.")
        sample(signed: worker.openConnections)
        family(
            "gateway_agent_upstream_connections_total", .counter, "Calls by whether their upstream connection was new.")
        sample(worker.upstreamConnections, ["reused": "false"])
        sample(worker.reusedUpstreamConnections, ["reused": "true"])
        family(
            "gateway_agent_ring_calls_total", .counter,
            "Reads and writes made through io_uring; none where it is forbidden, or there is little to do.")
        sample(worker.ringCalls)
        family(
            "gateway_agent_refusals_total", .counter,
            "Requests refused outside any route, the agent's own pages included, by reason.")
        for refusal in worker.refusals.sorted(by: { $0.reason < $1.reason }) {
            sample(refusal.count, ["reason": refusal.reason])
        }
        append(worker.routes.sorted { $0.route < $1.route })
    }

    mutating func append(droppedLogLines count: UInt64) {
        family(
            "gateway_agent_log_lines_dropped_total", .counter,
            "Lines of the log that were dropped, since its reader did not keep up.")
        sample(count)
    }

    private mutating func append(_ routes: [RouteMetrics]) {
        family(
            "gateway_agent_requests_total", .counter,
            "Calls by the first digit of their status; none: no answer was sent.")
        for route in routes {
            for (digit, count) in route.answers.enumerated() where count > 0 {
                sample(count, ["route": route.route, "status": digit == 0 ? "none" : "\(digit)xx"])
            }
        }
        family("gateway_agent_requests_active", .gauge, "Calls under way.")
        for route in routes { sample(signed: route.active, ["route": route.route]) }
        family("gateway_agent_received_bytes_total", .counter, "Bytes of content received from callers.")
        for route in routes { sample(route.receivedBytes, ["route": route.route]) }
        family("gateway_agent_sent_bytes_total", .counter, "Bytes of content sent to callers.")
        for route in routes { sample(route.sentBytes, ["route": route.route]) }
        family(
            "gateway_agent_fallbacks_total", .counter, "Calls served by a credential behind the first of their chain.")
        for route in routes { sample(route.fallbacks, ["route": route.route]) }
        family("gateway_agent_replays_total", .counter, "Calls sent again with a renewed credential.")
        for route in routes { sample(route.replays, ["route": route.route]) }
        family("gateway_agent_without_credential_total", .counter, "Calls refused because no credential was usable.")
        for route in routes { sample(route.withoutCredential, ["route": route.route]) }
        family("gateway_agent_aborts_total", .counter, "Calls that ended early, by who ended them.")
        for route in routes {
            sample(route.clientAborts, ["route": route.route, "by": "client"])
            sample(route.upstreamFailures, ["route": route.route, "by": "upstream"])
        }
        family("gateway_agent_first_byte_seconds", .histogram, "From a request's first byte to its answer's.")
        for route in routes { sample(route.firstByte, ["route": route.route]) }
        family("gateway_agent_request_seconds", .histogram, "From a request's first byte to the last of its answer.")
        for route in routes { sample(route.duration, ["route": route.route]) }
    }
}
