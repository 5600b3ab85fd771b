// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The document of `/-/status` as tables: one of credentials, one of routes, and below them what is wrong.
struct StatusReport {
    private let document: JSONValue

    init(_ document: JSONValue) {
        self.document = document
    }

    func text(hasColours: Bool) -> String {
        var text =
            "gateway-agent \(document["version"]?.stringValue ?? "?"), \(document["state"]?.stringValue ?? "?")\n\n"
        text += credentials.rendered(isTerminal: hasColours)
        text += "\n" + routes.rendered(isTerminal: hasColours)
        let troubles = troubles
        if !troubles.isEmpty { text += "\n" + troubles.joined(separator: "\n") + "\n" }
        return String(text.dropLast())
    }

    private var credentials: TextTable {
        var table = TextTable("CREDENTIAL", "KIND", "SOURCE", "STATE", "EXPIRES", "RENEWAL", "MINTS")
        for credential in document["credentials"]?.arrayValue ?? [] {
            let isUsable = credential["usable"]?.boolValue ?? false
            let phase = credential["phase"]?.stringValue ?? "?"
            let hasFailed = credential["error"] != nil
            let isRejected = credential["rejected"]?.boolValue ?? false
            var words = [isUsable ? "usable" : phase]
            if isRejected { words.append("rejected") }
            if isUsable, hasFailed { words.append("renewal fails") }
            table.add(
                cell(credential, "name"), cell(credential, "kind"), cell(credential, "source"),
                TextTable.Cell(
                    words.joined(separator: ", "),
                    isUsable ? (hasFailed || isRejected ? .doubtful : .good) : (hasFailed ? .bad : .faint)),
                TextTable.Cell(time(credential, "expires_in") ?? (isUsable ? "never" : "-")),
                TextTable.Cell(time(credential, "next_renewal_in") ?? "-"),
                TextTable.Cell(String(credential["mints"]?.integerValue ?? 0)))
        }
        return table
    }

    private var routes: TextTable {
        var table = TextTable("ROUTE", "UPSTREAM", "CHAIN", "IN USE")
        for route in document["routes"]?.arrayValue ?? [] {
            for injection in route["inject"]?.arrayValue ?? [] {
                let names = (injection["chain"]?.arrayValue ?? []).compactMap(\.stringValue)
                table.add(
                    cell(route, "route"), cell(route, "upstream"), TextTable.Cell(names.joined(separator: ", ")),
                    use(injection))
            }
        }
        return table
    }

    private func use(_ injection: JSONValue) -> TextTable.Cell {
        if let next = injection["asks_for"]?.stringValue {
            return TextTable.Cell("\(next), not asked for yet", .faint)
        }
        guard let used = injection["in_use"]?.stringValue else {
            return TextTable.Cell("none: calls get 503", .bad)
        }
        let why = injection["why"]?.stringValue ?? ""
        return TextTable.Cell("\(used) (\(why))", why == "preferred" ? .good : .doubtful)
    }

    /// Why calls of a route do not go out with the first of its chain; nil if they do, or would wait for it.
    private func detour(_ route: JSONValue, _ injection: JSONValue) -> String? {
        let names = (injection["chain"]?.arrayValue ?? []).compactMap(\.stringValue)
        if injection["asks_for"] != nil { return nil }
        let link = injection["link"]?.integerValue.map { Int($0) }
        let use = ChainUse(
            route: "", injection: 0, names: names, link: link,
            why: injection["why"]?.stringValue.flatMap { Chain.Reason(rawValue: $0) }, cause: nil)
        guard use.isWarning else { return nil }
        return "\(route["route"]?.stringValue ?? "?"): \(use.message)"
    }

    /// One line for each thing that somebody should look at.
    private var troubles: [String] {
        var lines: [String] = []
        if let problem = document["reload_error"]?.stringValue {
            lines.append("the last reload changed nothing: \(problem)")
        }
        for credential in document["credentials"]?.arrayValue ?? [] {
            let name = credential["name"]?.stringValue ?? "?"
            if let message = credential["error"]?["message"]?.stringValue {
                lines.append("\(name): \(message)")
            }
            if credential["rejected"]?.boolValue == true {
                lines.append("\(name): the value held was rejected by an upstream")
            }
            if let skew = credential["clock_skew"]?.stringValue { lines.append("\(name): \(skew)") }
        }
        for route in document["routes"]?.arrayValue ?? [] {
            lines += (route["inject"]?.arrayValue ?? []).compactMap { detour(route, $0) }
        }
        return lines
    }

    private func cell(_ object: JSONValue, _ member: String) -> TextTable.Cell {
        TextTable.Cell(object[member]?.stringValue ?? "?")
    }

    private func time(_ object: JSONValue, _ member: String) -> String? {
        guard let seconds = object[member]?.integerValue else { return nil }
        return seconds <= 0 ? "now" : "in \(ReadableDuration(seconds &* 1_000_000_000))"
    }
}
