// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What `/-/token/NAME?min-life=SECONDS&format=json` asks for. A word that is not known is refused: left unread, it would
/// give another token than the one that was asked for.
struct TokenQuery: Sendable, Equatable {
    /// Nanoseconds.
    private(set) var life: Int64 = 0
    private(set) var isJSON = false

    /// - Parameter query: with its question mark, as it stands in the request; may be empty.
    init(_ query: String) throws(ErrorAnswer) {
        for part in query.dropFirst().split(separator: "&") {
            let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = words.count > 1 ? words[1] : ""
            switch (words[0], value) {
            case ("min-life", _):
                guard let seconds = Int64(value), (0...2_592_000).contains(seconds) else {
                    throw ErrorAnswer(
                        400, "min-life",
                        "\(part.prefix(30)) does not fit; write whole seconds, from 0 to 2592000 (30 days)")
                }
                life = seconds * 1_000_000_000
            case ("format", "json"): isJSON = true
            case ("format", "plain"): isJSON = false
            default:
                throw ErrorAnswer(
                    400, "unknown-query",
                    "\(part.prefix(30)) is not known here; there are min-life=SECONDS, format=plain and format=json")
            }
        }
    }
}
