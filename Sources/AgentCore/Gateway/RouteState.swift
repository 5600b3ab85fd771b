// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What one loop keeps for one route of its plan, found once a call. Confined to the loop.
///
/// A call under way when a reload comes goes on with the state that it began with.
final class RouteState {
    let route: Route
    /// For the log: the route's prefix, and its upstream's host.
    let prefix: String
    let host: String
    /// Of the route's origin; routes with equal origins share it.
    let pool: UpstreamPool
    let meter: RouteMeter
    /// Which link the calls last went out with, by injection.
    private let watches: LoopCell<[ChainWatch]>

    init(_ route: Route, pool: UpstreamPool, meter: RouteMeter) {
        self.route = route
        prefix = route.spec.prefix
        host = route.spec.upstream.host
        self.pool = pool
        self.meter = meter
        watches = LoopCell(route.injections.map { _ in ChainWatch() })
    }

    /// Notices which link a call goes out with.
    ///
    /// - Returns: true if it is another than the last.
    func notice(_ injection: Int, link: Int?, why: Chain.Reason?) -> Bool {
        watches.with { $0[injection].record(link: link, why: why) }
    }
}
