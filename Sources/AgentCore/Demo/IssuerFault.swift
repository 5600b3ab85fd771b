// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What an embedded issuer can do wrong when it is asked for a token.
enum IssuerFault: Sendable, Equatable {
    /// Connections are refused, those open are reset: nothing listens. Concerns every path.
    case down
    /// Takes the request and never answers.
    case hang
    /// A good answer, a byte every 200 ms.
    case drip
    /// 500 with a sentence.
    case serverError
    /// 429, with `Retry-After` in seconds.
    case tooManyRequests(retryAfter: Int)
    /// 200 without content.
    case empty
    /// 200 with 1 MiB that is no JSON.
    case garbage
    /// A signed token that has ended already.
    case expiredToken
    /// The token that was given out last, again.
    case sameToken
    /// A signed token for an audience that nobody asked for.
    case otherAudience
    /// 200 with a page for people, as a captive portal sends it.
    case html
    /// Half of the announced content, then the end of the connection.
    case truncated
    /// 302 to another path.
    case redirect

    /// The faults by the words that people write: `/demo/fault?kind=429`.
    static let words: [(word: String, fault: IssuerFault)] = [
        ("die", .down), ("hang", .hang), ("drip", .drip), ("500", .serverError),
        ("429", .tooManyRequests(retryAfter: 2)), ("empty", .empty), ("garbage", .garbage), ("expired", .expiredToken),
        ("same", .sameToken), ("audience", .otherAudience), ("html", .html), ("truncated", .truncated),
        ("redirect", .redirect),
    ]

    init?(word: String) {
        guard let entry = Self.words.first(where: { $0.word == word }) else { return nil }
        self = entry.fault
    }
}
