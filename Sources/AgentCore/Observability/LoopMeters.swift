// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What one loop counts while it works: plain numbers in place, which a call changes at no cost; `WorkerMetrics` is the
/// picture of them that a scrape takes. Confined to the loop.
final class LoopMeters {
    var acceptedConnections: UInt64 = 0
    var openConnections: Int64 = 0
    /// Connections to upstreams: made, and used again.
    var upstreamConnections: UInt64 = 0
    var reusedUpstreamConnections: UInt64 = 0
    private var refused = WorkerMetrics()
    private var routes: [RouteMeter] = []

    func countRefusal(_ reason: String) {
        refused.countRefusal(reason)
    }

    /// The meter of a route; it lives as long as the loop, and counts on when a reload keeps the prefix.
    func meter(route prefix: String) -> RouteMeter {
        if let known = routes.first(where: { $0.prefix == prefix }) { return known }
        let meter = RouteMeter(prefix)
        routes.append(meter)
        return meter
    }

    var metrics: WorkerMetrics {
        var metrics = refused
        metrics.acceptedConnections = acceptedConnections
        metrics.openConnections = openConnections
        metrics.upstreamConnections = upstreamConnections
        metrics.reusedUpstreamConnections = reusedUpstreamConnections
        for route in routes { metrics.merge(route.metrics) }
        return metrics
    }
}

/// The counters of one route on one loop.
final class RouteMeter {
    let prefix: String
    /// Calls under way.
    var active: Int64 = 0
    private let counted: LoopCell<RouteMetrics>

    fileprivate init(_ prefix: String) {
        self.prefix = prefix
        counted = LoopCell(RouteMetrics(route: prefix))
    }

    /// Adds a finished call.
    func count(_ call: borrowing AccessRecord) {
        counted.with { $0.count(call) }
    }

    var metrics: RouteMetrics {
        var metrics = counted.with { $0 }
        metrics.active = active
        return metrics
    }
}
