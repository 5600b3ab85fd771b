// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The words behind a command, sorted into switches, values and the operand.
struct Arguments: Sendable {
    private(set) var switches: Set<OptionName> = []
    private(set) var values: [OptionName: String] = [:]
    private(set) var operand: String?

    /// Options stand anywhere, as `--name VALUE` or `--name=VALUE`; behind `--` nothing is an option.
    init(_ command: CommandName, _ words: [String]) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                for word in rest { try take(operand: word, command) }
                return
            }
            guard word.hasPrefix("-"), word != "-" else {
                try take(operand: word, command)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let option = try Self.option(parts.first ?? word, command)
            guard let valueName = option.valueName else {
                if parts.count > 1 {
                    throw UsageError(
                        message: "\(option.rawValue) takes no value", hint: "write \(option.rawValue) alone")
                }
                switches.insert(option)
                continue
            }
            // A value that looks like an option was forgotten; `--name=-x` says it anyway.
            let next = rest.first.flatMap { $0.hasPrefix("-") && $0 != "-" ? nil : $0 }
            if parts.count == 1, next != nil { rest.removeFirst() }
            guard let value = parts.count > 1 ? parts[1] : next, !value.isEmpty else {
                throw UsageError(
                    message: "\(option.rawValue) has no \(valueName)", hint: "write \(option.rawValue) \(valueName)")
            }
            guard values.updateValue(value, forKey: option) == nil else {
                throw UsageError(message: "\(option.rawValue) is written twice", hint: "delete one")
            }
        }
    }

    private static func option(_ word: String, _ command: CommandName) throws(UsageError) -> OptionName {
        if word == "-h" { return .help }
        if let option = OptionName(rawValue: word), option == .help || command.options.contains(option) {
            return option
        }
        let known = (command.options + [.help]).map(\.rawValue)
        let nearest = Suggestion.nearest(to: word, among: known)
        throw UsageError(
            message: "\(command.rawValue) has no option \(QuotedText.quote(word))",
            hint: nearest.map { "did you mean \"\($0)\"?" } ?? "it has \(known.joined(separator: ", "))")
    }

    private mutating func take(operand word: String, _ command: CommandName) throws(UsageError) {
        guard let expected = command.operand else {
            throw UsageError(
                message: "\(command.rawValue) takes no \(QuotedText.quote(word))",
                hint: "gateway-agent help \(command.rawValue) shows what it takes")
        }
        if operand != nil {
            throw UsageError(
                message: "\(command.rawValue) takes one \(expected.name), and \(QuotedText.quote(word)) is one more",
                hint: "delete it")
        }
        if word.isEmpty {
            throw UsageError(
                message: "the \(expected.name) is empty",
                hint: "gateway-agent help \(command.rawValue) shows what it takes")
        }
        operand = word
    }
}
