// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A command line, understood.
enum ParsedCommand: Sendable, Equatable {
    case serve(configuration: String?)
    case demo(once: Bool, printJSON: Bool)
    case check(configuration: String?, offline: Bool)
    case status(AgentAddress, json: Bool)
    case token(TokenRequest)
    case help(CommandName?)
    case version

    /// Where the running agent is found.
    struct AgentAddress: Sendable, Equatable {
        /// `--socket`; nil: as the configuration says.
        var socket: String?
        /// `--config`
        var configuration: String?
    }

    struct TokenRequest: Sendable, Equatable {
        let name: String
        /// nil: whatever life it has left.
        var minimumLife: Duration?
        var format = TokenFormat.plain
        var agent = AgentAddress()
    }

    enum TokenFormat: String, Sendable, CaseIterable {
        case plain, json, header
    }
}

/// What is wrong with a command line, and what to write instead. The program ends with `ExitCode.usage`.
struct UsageError: Error, Sendable, Equatable, CustomStringConvertible {
    let message: String
    let hint: String

    var description: String { "\(message); \(hint)" }
}

extension ParsedCommand {
    /// - Parameter arguments: without the program's own name.
    init(_ arguments: [String]) throws(UsageError) {
        guard let word = arguments.first else {
            self = .help(nil)
            return
        }
        switch word {
        case "-h", "--help": self = .help(nil)
        case "-V", "--version": self = .version
        default:
            let command = try Self.command(word)
            self = try Self.parse(command, Arguments(command, Array(arguments.dropFirst())))
        }
    }

    private static func command(_ word: String) throws(UsageError) -> CommandName {
        if let command = CommandName(rawValue: word) { return command }
        if word.hasPrefix("-") {
            throw UsageError(
                message: "the option \(QuotedText.quote(word)) stands before a command",
                hint: "write the command first, such as gateway-agent status --json")
        }
        let nearest = Suggestion.nearest(to: word, among: CommandName.allCases.map(\.rawValue))
        throw UsageError(
            message: "unknown command \(QuotedText.quote(word))",
            hint: nearest.map { "did you mean \"\($0)\"?" } ?? "gateway-agent help lists the commands")
    }

    private static func parse(_ command: CommandName, _ arguments: Arguments) throws(UsageError) -> ParsedCommand {
        if arguments.switches.contains(.help) { return .help(command) }
        let agent = AgentAddress(socket: arguments.values[.socket], configuration: arguments.values[.config])
        switch command {
        case .serve: return .serve(configuration: arguments.values[.config])
        case .demo:
            return .demo(
                once: arguments.switches.contains(.once), printJSON: arguments.switches.contains(.printJSON))
        case .check:
            return .check(configuration: arguments.values[.config], offline: arguments.switches.contains(.offline))
        case .status: return .status(agent, json: arguments.switches.contains(.json))
        case .version: return .version
        case .help:
            guard let word = arguments.operand else { return .help(nil) }
            return .help(try Self.command(word))
        case .token:
            guard let name = arguments.operand else {
                throw UsageError(
                    message: "token has no NAME",
                    hint: "name a credential of the configuration: gateway-agent token NAME")
            }
            var request = TokenRequest(name: name, agent: agent)
            request.minimumLife = try minimumLife(arguments.values[.minLife])
            request.format = try format(arguments.values[.format])
            return .token(request)
        }
    }

    private static func minimumLife(_ text: String?) throws(UsageError) -> Duration? {
        guard let text else { return nil }
        if let duration = Quantity.duration(text) {
            guard duration <= .seconds(30 * 86_400) else {
                throw UsageError(
                    message: "--min-life is \(QuotedText.quote(text))", hint: "write a duration of at most \"30d\"")
            }
            return duration
        }
        throw UsageError(
            message: "--min-life is \(QuotedText.quote(text))",
            hint: "write a duration such as \"30s\", \"5m\" or \"1h30m\"")
    }

    private static func format(_ text: String?) throws(UsageError) -> TokenFormat {
        guard let text else { return .plain }
        if let format = TokenFormat(rawValue: text) { return format }
        let words = TokenFormat.allCases.map(\.rawValue)
        throw UsageError(
            message: "--format is \(QuotedText.quote(text))",
            hint: Suggestion.nearest(to: text, among: words).map { "did you mean \"\($0)\"?" }
                ?? "write one of \(words.map { "\"\($0)\"" }.joined(separator: ", "))")
    }
}
