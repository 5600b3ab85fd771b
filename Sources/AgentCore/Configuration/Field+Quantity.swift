// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension Field<Duration> {
    /// `250ms`, `30s`, `5m`, `1h30m`, `2d`.
    static func duration(in range: ClosedRange<Duration>) -> Field {
        text("write a duration such as \"30s\", \"5m\" or \"1h30m\"") { text throws(Misfit) in
            guard let duration = Quantity.duration(text) else { throw Misfit() }
            guard range.contains(duration) else {
                let (low, high) = (Quantity.text(range.lowerBound), Quantity.text(range.upperBound))
                throw Misfit(hint: "write a duration from \(low) to \(high)")
            }
            return duration
        }
    }
}

extension Field<Int> {
    /// Bytes: a plain number, or `64KiB`, `10MB`.
    static func size(in range: ClosedRange<Int>) -> Field {
        Field { node, report in
            let value: Int? =
                switch node.content {
                case .scalar(.integer(let integer)): Int(exactly: integer)
                case .scalar(.string(let text)): Quantity.size(text)
                default: nil
                }
            guard let value else {
                report.add(node, node.shown, hint: "write a size such as \"64KiB\" or \"10MB\"")
                return nil
            }
            guard range.contains(value) else {
                let (low, high) = (Quantity.text(bytes: range.lowerBound), Quantity.text(bytes: range.upperBound))
                report.add(node, node.shown, hint: "write a size from \(low) to \(high)")
                return nil
            }
            return value
        }
    }
}

/// Durations and sizes as people write them.
enum Quantity {
    /// Whole numbers with units, the larger unit first, each unit once; nil for anything else.
    static func duration(_ text: String) -> Duration? {
        let units: [(name: String, nanoseconds: Int64)] = [
            ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
            ("ms", 1_000_000),
        ]
        var rest = text.utf8[...]
        var last = -1
        var total: Int64 = 0
        while !rest.isEmpty {
            guard let number = number(&rest) else { return nil }
            let name = rest.prefix { (0x61...0x7A).contains($0) }
            rest = rest.dropFirst(name.count)
            guard let unit = units.firstIndex(where: { name.elementsEqual($0.name.utf8) }), unit > last else {
                return nil
            }
            last = unit
            let (part, overflow) = number.multipliedReportingOverflow(by: units[unit].nanoseconds)
            let (sum, carried) = total.addingReportingOverflow(part)
            if overflow || carried { return nil }
            total = sum
        }
        return last < 0 ? nil : .nanoseconds(total)
    }

    /// A whole number with `B`, `KB`, `MB`, `GB` (powers of 1000) or `KiB`, `MiB`, `GiB` (powers of 1024).
    static func size(_ text: String) -> Int? {
        let units: [String: Int64] = [
            "": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20,
            "GiB": 1 << 30,
        ]
        var rest = text.utf8[...]
        guard let number = number(&rest) else { return nil }
        guard let unit = units[String(Substring(rest.drop { $0 == UInt8(ascii: " ") }))] else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : Int(exactly: bytes)
    }

    /// `1h30m`; the way back of `duration`, to milliseconds.
    static func text(_ duration: Duration) -> String {
        var rest = duration.nanoseconds / 1_000_000
        if rest <= 0 { return "0s" }
        var text = ""
        for (unit, milliseconds) in [("d", Int64(86_400_000)), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)]
        {
            if rest >= milliseconds { text += "\(rest / milliseconds)\(unit)" }
            rest %= milliseconds
        }
        return text
    }

    /// By the largest unit that leaves nothing over.
    static func text(bytes: Int) -> String {
        var rest = bytes
        var unit = 0
        while unit < byteUnits.count - 1, rest != 0, rest % 1024 == 0 {
            rest /= 1024
            unit += 1
        }
        return "\(rest)\(byteUnits[unit])"
    }

    private static let byteUnits = ["B", "KiB", "MiB", "GiB"]

    private static func number(_ rest: inout Substring.UTF8View) -> Int64? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? nil : Int64(String(Substring(digits)))
    }
}
