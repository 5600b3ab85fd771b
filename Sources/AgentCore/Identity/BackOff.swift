// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// How long a source that failed is left alone. Pure; jitter is drawn once for each failure.
///
/// | failures in a row | delay, without `Retry-After` |
/// | --- | --- |
/// | 1 | 1–2 s |
/// | 2 | 1–4 s |
/// | 3 | 1–8 s |
/// | 6 and more | 1–60 s |
struct BackOff: Sendable, Equatable {
    var shortest: Duration = .seconds(1)
    var longest: Duration = .seconds(60)
    /// An issuer that asks for more than this is asked again all the same: a wrong header must not be an outage.
    var longestRetryAfter: Duration = .seconds(300)

    /// - Parameters:
    ///   - failures: in a row, this one included.
    ///   - jitter: 0 up to 1.
    ///   - retryAfter: what the issuer asked for. The drawn delay comes on top, or every host told the same number
    ///     would return in the same second.
    /// - Returns: nanoseconds.
    func delay(failures: Int, jitter: Double, retryAfter: Duration?) -> Int64 {
        let shortest = shortest.nanoseconds
        let ceiling = min(longest.nanoseconds, shortest.plus(shortest) << min(max(failures - 1, 0), 20))
        let drawn = shortest.plus(max(0, ceiling.minus(shortest)).scaled(by: min(max(jitter, 0), 1)))
        let asked = retryAfter.map { min(max(0, $0.nanoseconds), longestRetryAfter.nanoseconds) } ?? 0
        return asked.plus(drawn)
    }
}
