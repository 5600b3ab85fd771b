// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Reads the end of a token as sources write it beside the token: `expires_in`, `expires_on`, `expirationTimestamp`.
enum ExpiryText {
    /// Numbers below this are lengths in seconds (three years at most), above it seconds since 1970.
    private static let firstMoment: Double = 100_000_000
    /// Numbers above this are milliseconds since 1970.
    private static let firstMilliseconds: Double = 100_000_000_000

    /// A number from JSON.
    static func expiry(_ number: Double) -> SourceValue.Expiry? {
        guard number.isFinite, number >= 0 else { return nil }
        if number < firstMoment { return .after(Int64(number * 1000) * 1_000_000) }
        return JSONWebToken.nanoseconds(sinceEpoch: number < firstMilliseconds ? number : number / 1000)
            .map(SourceValue.Expiry.at)
    }

    /// A string from JSON: a number in digits, or a date and time of RFC 3339 §5.6.
    static func expiry(_ text: String) -> SourceValue.Expiry? {
        if let number = Double(text) { return expiry(number) }
        return wall(rfc3339: text).map(SourceValue.Expiry.at)
    }

    /// `2026-11-21T08:55:00.25+01:00` as nanoseconds since 1970. Both `T` and a space, fractions of any length.
    static func wall(rfc3339 text: String) -> Int64? {
        var rest = Substring(text)
        func digits(_ count: Int) -> Int64? {
            let taken = rest.utf8.prefix(count)
            guard taken.count == count, taken.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            rest = rest.dropFirst(count)
            return Int64(Substring(taken))
        }
        func take(_ choices: String) -> Character? {
            guard let first = rest.first, first.isASCII, choices.contains(first) else { return nil }
            rest = rest.dropFirst()
            return first
        }
        guard let year = digits(4), take("-") != nil, let month = digits(2), take("-") != nil, let day = digits(2),
            take("Tt ") != nil, let hour = digits(2), take(":") != nil, let minute = digits(2), take(":") != nil,
            let second = digits(2), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second < 61
        else { return nil }
        var nanoseconds: Int64 = 0
        if take(".") != nil {
            var place: Int64 = 100_000_000
            guard rest.utf8.first.map({ (0x30...0x39).contains($0) }) == true else { return nil }
            while let digit = digits(1) {
                nanoseconds += digit * place
                place /= 10
            }
        }
        var offset: Int64 = 0
        switch take("Zz+-") {
        case "Z", "z": break
        case .some(let sign):
            guard let hours = digits(2), hours < 24, take(":") != nil, let minutes = digits(2), minutes < 60 else {
                return nil
            }
            offset = (hours * 3600 + minutes * 60) * (sign == "-" ? -1 : 1)
        case nil: return nil
        }
        guard rest.isEmpty else { return nil }
        let seconds = daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? nil : .max) : scaled.plus(nanoseconds)
    }

    /// Days of the proleptic Gregorian calendar, counted from March so that the leap day is the last of its year.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
