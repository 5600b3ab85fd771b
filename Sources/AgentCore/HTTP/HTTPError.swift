// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Why a message was refused: the rule, and where in the message.
///
/// After any of these the bytes that follow have no sure meaning: answer with `status` and close (a request), or answer
/// 502 and close (a response of an upstream).
struct HTTPError: Error, Equatable, Sendable {
    let rule: HTTPRule
    /// The byte of the head, trailer section or chunk line that broke it, counted from 0; negative when there is none.
    let offset: Int32
    /// The byte found there, or the limit that was passed; negative when there is none.
    let value: Int64

    init(_ rule: HTTPRule, at offset: Int = -1) {
        self.rule = rule
        self.offset = Int32(truncatingIfNeeded: offset)
        value = -1
    }

    init(_ rule: HTTPRule, at offset: Int, byte: UInt8) {
        self.rule = rule
        self.offset = Int32(truncatingIfNeeded: offset)
        value = Int64(byte)
    }

    init(_ rule: HTTPRule, limit: some BinaryInteger) {
        self.rule = rule
        offset = -1
        value = Int64(clamping: limit)
    }

    /// The status that a refused request is answered with.
    var status: Int { rule.status }
    /// A short word for metrics and logs: `bare-lf`.
    var code: String { rule.rawValue }
}

extension HTTPError: CustomStringConvertible {
    /// What is wrong, where, what to do, and the section that says so.
    var description: String {
        let entry = rule.entry
        var place = ""
        if offset >= 0 {
            place = value >= 0 ? " (byte 0x\(Self.hexadecimal(value)) at offset \(offset))" : " (at offset \(offset))"
        } else if value >= 0 {
            place = " of \(value)"
        }
        return "\(entry.fault)\(place); \(entry.repair) (\(entry.section))"
    }

    private static func hexadecimal(_ byte: Int64) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.utf8.count < 2 ? "0" + digits : digits
    }
}
