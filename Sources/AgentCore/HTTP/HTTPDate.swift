// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The `Date` line of one second, rendered once and then copied (RFC 9110 §5.6.7, IMF-fixdate).
struct HTTPDate: Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    private(set) var second: Int64
    private var line: InlineArray<37, UInt8>

    init(second: Int64 = 0) {
        self.second = second
        line = Self.render(second)
    }

    /// Renders anew when the second has changed.
    mutating func update(second now: Int64) {
        if now != second { self = HTTPDate(second: now) }
    }

    /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` and CRLF.
    func append(into buffer: inout ByteBuffer) {
        buffer.append(line.span)
    }

    private static func render(_ second: Int64) -> InlineArray<37, UInt8> {
        // Years 1970 ... 9999: what is outside is no time that a running host could mean.
        let second = min(max(second, 0), 253_402_300_799)
        let (days, rest) = second.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = civil(days)
        var line = InlineArray<37, UInt8>(repeating: 0)
        var place = 0
        func put(_ text: String) {
            for byte in text.utf8 {
                line[place] = byte
                place += 1
            }
        }
        func put(_ number: Int64, digits: Int) {
            var rest = number
            for index in stride(from: place + digits - 1, through: place, by: -1) {
                line[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            place += digits
        }
        put("Date: ")
        // 1970-01-01 was a Thursday.
        put(["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int((days + 4) % 7)])
        put(", ")
        put(day, digits: 2)
        put(" ")
        put(
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][Int(month - 1)])
        put(" ")
        put(year, digits: 4)
        put(" ")
        put(rest / 3600, digits: 2)
        put(":")
        put(rest / 60 % 60, digits: 2)
        put(":")
        put(rest % 60, digits: 2)
        put(" GMT\r\n")
        return line
    }

    /// The date of a day counted from 1970-01-01, in the Gregorian calendar. Counts in years that begin in March, so
    /// that the leap day comes last, and in cycles of 400 years.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468  // days from 0000-03-01
        let (cycle, dayOfCycle) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, day)
    }
}
