// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The commands, and what each takes. Parser and help are made from this one table.
enum CommandName: String, Sendable, CaseIterable {
    case serve, demo, check, status, token, help, version

    /// One line for the list of commands.
    var summary: String {
        switch self {
        case .serve: "run the agent; systemd calls this"
        case .demo: "show the agent at work, with a gateway and an issuer of its own"
        case .check: "read the configuration and try every credential source"
        case .status: "ask the running agent how its credentials are"
        case .token: "print a token from the running agent"
        case .help: "explain a command"
        case .version: "print the version"
        }
    }

    /// What stands behind the command's name, an operand in capitals.
    var operand: Operand? {
        switch self {
        case .token: Operand(name: "NAME", isRequired: true)
        case .help: Operand(name: "COMMAND", isRequired: false)
        default: nil
        }
    }

    struct Operand: Sendable {
        let name: String
        let isRequired: Bool
    }

    var options: [OptionName] {
        switch self {
        case .serve: [.config]
        case .demo: [.once, .printJSON]
        case .check: [.config, .offline]
        case .status: [.json, .socket, .config]
        case .token: [.minLife, .format, .socket, .config]
        case .help, .version: []
        }
    }
}

/// The options; each means the same wherever it stands.
enum OptionName: String, Sendable, CaseIterable {
    case config = "--config"
    case socket = "--socket"
    case json = "--json"
    case once = "--once"
    case printJSON = "--print-json"
    case offline = "--offline"
    case minLife = "--min-life"
    case format = "--format"
    case help = "--help"

    /// What follows it; nil for a switch.
    var valueName: String? {
        switch self {
        case .config, .socket: "PATH"
        case .minLife: "DURATION"
        case .format: "FORMAT"
        case .json, .once, .printJSON, .offline, .help: nil
        }
    }

    var summary: String {
        switch self {
        case .config: "the configuration file, instead of \(ConfigurationFiles.systemFile)"
        case .socket: "the agent's Unix socket, instead of the configured one"
        case .json: "print JSON, for programs"
        case .once: "play the story through once and end; fail if a step is not as told"
        case .printJSON: "begin with one line of JSON, for programs: where the agent listens"
        case .offline: "only read the configuration; try no source"
        case .minLife: "what the token must still live, such as 5m; renewed first if it must"
        case .format: "plain (the token alone), json, or header (Authorization: Bearer …)"
        case .help: "explain this command"
        }
    }
}
