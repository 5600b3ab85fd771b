// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What a call of the token endpoint asks for behind the question mark. What is not known is refused: left unread,
/// it would give another token than the one that was asked for. Of a repeated word the first counts.
struct TokenQuery: Equatable {
    /// Nanoseconds that should be left of the token.
    private(set) var life: Int64 = 0
    private(set) var asJSON = false

    /// - Parameter query: with its question mark, or nothing.
    init(_ query: Span<UInt8>) throws(ErrorAnswer) {
        var start = 1
        var hasLife = false
        while start < query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
            let part = query.extracting(start..<end)
            if part.equals("format=json".utf8.span) {
                asJSON = true
            } else if !hasLife, let seconds = part.behind("min-life=".utf8.span) {
                hasLife = true
                life = try Self.seconds(seconds, of: part) * 1_000_000_000
            } else if !part.isEmpty, !part.equals("format=plain".utf8.span), part.behind("min-life=".utf8.span) == nil {
                throw Self.unknown(part)
            }
            start = end + 1
        }
    }

    private static func unknown(_ part: Span<UInt8>) -> ErrorAnswer {
        let text = part.text(ByteRange(0, part.count), limit: 30)
        return ErrorAnswer(
            400, "unknown-query", "\(text) is not known here; there are min-life=SECONDS, format=plain and format=json")
    }

    private static func seconds(_ digits: Span<UInt8>, of part: Span<UInt8>) throws(ErrorAnswer) -> Int64 {
        var seconds: Int64 = 0
        var isSound = !digits.isEmpty
        for index in digits.indices where isSound {
            seconds = seconds * 10 + Int64(digits[index] &- 0x30)
            isSound = digits[index].isDigit && seconds <= 2_592_000
        }
        guard isSound else {
            let text = part.text(ByteRange(0, part.count), limit: 30)
            throw ErrorAnswer(
                400, "min-life", "\(text) does not fit; write whole seconds, from 0 to 2592000 (30 days)")
        }
        return seconds
    }
}

extension Span where Element == UInt8 {
    /// What stands behind `prefix`; nil if the bytes do not begin with it.
    @_lifetime(copy self)
    func behind(_ prefix: Span<UInt8>) -> Span<UInt8>? {
        guard count >= prefix.count, extracting(first: prefix.count).equals(prefix) else { return nil }
        return extracting(droppingFirst: prefix.count)
    }
}
