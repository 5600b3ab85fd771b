// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension HTTPDate {
    /// Reads a date in any of the three forms of RFC 9110 §5.6.7, all of which a recipient has to take.
    ///
    /// - Returns: nanoseconds since 1970; nil if it is none, or before 1970; `Int64.max` from April 2262 on.
    static func wall(_ text: String) -> Int64? {
        var words = text.split { " ,-:".contains($0) }
        guard words.count >= 7, words.removeFirst().first?.isLetter == true else { return nil }
        // `Nov 6 08:49:37 1994` of asctime(3) into the order of the others.
        if words[0].first?.isLetter == true {
            guard words.count == 6 else { return nil }
            words = [words[1], words[0], words[5], words[2], words[3], words[4], "GMT"]
        }
        guard words.count == 7, words[6] == "GMT" else { return nil }
        let numbers = [words[0], words[2], words[3], words[4], words[5]].compactMap { word in
            word.utf8.count <= 4 && word.utf8.allSatisfy(\.isDigit) ? Int64(word) : nil
        }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard numbers.count == 5, let month = months.firstIndex(of: String(words[1])),
            (1...31).contains(numbers[0]), numbers[2] < 24, numbers[3] < 60, numbers[4] < 61
        else { return nil }
        var year = numbers[1]
        if words[2].count == 2 { year += year < 70 ? 2000 : 1900 }
        guard year >= 1970 else { return nil }
        let seconds = days(year, month: Int64(month), day: numbers[0]) * 86_400
        let (wall, overflow) = (seconds + numbers[2] * 3600 + numbers[3] * 60 + numbers[4])
            .multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : wall
    }

    /// Days since 1970-01-01. Counts years from March, so that the leap day is the last of its year.
    private static func days(_ year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month < 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 10) % 12) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
