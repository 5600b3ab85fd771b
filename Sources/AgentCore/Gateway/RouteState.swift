// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What one loop keeps for one route of its plan, found once a call. Confined to the loop.
///
/// A call under way when a reload comes goes on with the state that it began with.
final class RouteState {
    let route: Route
    /// Of the route's origin; routes with equal origins share it.
    let pool: UpstreamPool
    let meter: RouteMeter
    /// Which link the calls last went out with, by injection.
    private var watches: [ChainWatch]

    init(_ route: Route, pool: UpstreamPool, meter: RouteMeter) {
        self.route = route
        self.pool = pool
        self.meter = meter
        watches = route.injections.map { _ in ChainWatch() }
    }

    /// Notices which link a call goes out with.
    ///
    /// - Returns: true if it is another than the last.
    func notice(_ injection: Int, link: Int?, why: Chain.Reason?) -> Bool {
        watches[injection].record(link: link, why: why)
    }
}
