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
            table.add(
                cell(credential, "name"), cell(credential, "kind"), cell(credential, "source"),
                TextTable.Cell(
                    isUsable ? (hasFailed ? "usable, \(phase)" : "usable") : phase,
                    isUsable ? (hasFailed ? .doubtful : .good) : (hasFailed ? .bad : .faint)),
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
                let used = injection["in_use"]?.stringValue
                let why = injection["why"]?.stringValue ?? ""
                let mood: TextTable.Mood = used == nil ? .bad : (why == "preferred" ? .good : .doubtful)
                table.add(
                    cell(route, "route"), cell(route, "upstream"),
                    TextTable.Cell(names.joined(separator: ", ")),
                    TextTable.Cell(used.map { why == "preferred" ? $0 : "\($0) (\(why))" } ?? "none yet", mood))
            }
        }
        return table
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
            if let skew = credential["clock_skew"]?.stringValue { lines.append("\(name): \(skew)") }
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
