// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension ByteBuffer {
    /// Appends a wall-clock time in UTC: `2026-11-21T08:29:01.123Z` (RFC 3339).
    mutating func append(timestamp wall: Int64, fraction: Bool) {
        let date = CivilTime(nanoseconds: wall)
        append(decimal: UInt64(clamping: date.year), digits: 4)
        append(UInt8(ascii: "-"))
        append(twoDigits: date.month)
        append(UInt8(ascii: "-"))
        append(twoDigits: date.day)
        append(UInt8(ascii: "T"))
        append(twoDigits: date.hour)
        append(UInt8(ascii: ":"))
        append(twoDigits: date.minute)
        append(UInt8(ascii: ":"))
        append(twoDigits: date.second)
        if fraction {
            append(UInt8(ascii: "."))
            append(decimal: UInt64(clamping: date.millisecond), digits: 3)
        }
        append(UInt8(ascii: "Z"))
    }

    /// Appends nanoseconds as seconds, cut to microseconds: `0.0125`, `3`.
    mutating func append(seconds nanoseconds: Int64) {
        if nanoseconds < 0 { append(UInt8(ascii: "-")) }
        let microseconds = nanoseconds.magnitude / 1000
        append(decimal: microseconds / 1_000_000)
        var (fraction, digits) = (Int64(microseconds % 1_000_000), 6)
        guard fraction > 0 else { return }
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        append(UInt8(ascii: "."))
        append(decimal: fraction.magnitude, digits: digits)
    }

    @inline(__always)
    private mutating func append(twoDigits number: Int64) {
        append(UInt8(truncatingIfNeeded: 0x30 + number / 10))
        append(UInt8(truncatingIfNeeded: 0x30 + number % 10))
    }
}

/// Nanoseconds since 1970 as a date of the Gregorian calendar in UTC; before 1970 is 1970.
struct CivilTime: Equatable {
    let year, month, day, hour, minute, second, millisecond: Int64

    init(nanoseconds: Int64) {
        let milliseconds = max(0, nanoseconds) / 1_000_000
        let seconds = milliseconds / 1000
        millisecond = milliseconds % 1000
        (hour, minute, second) = (seconds % 86_400 / 3600, seconds % 3600 / 60, seconds % 60)
        // Days are counted from 1 March of year 0, so that the leap day ends a year, in eras of 400 years (146 097 days).
        let days = seconds / 86_400 + 719_468
        let (era, dayOfEra) = days.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
