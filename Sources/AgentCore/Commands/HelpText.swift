// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What `help` prints.
enum HelpText {
    static func text(_ command: CommandName?) -> String {
        command.map(explanation) ?? overview
    }

    private static var overview: String {
        """
        gateway-agent gives the tools of this host access to AI gateways, without giving them a secret.
        They call it on a socket or on localhost; it adds the credential, and keeps it fresh.

        usage: gateway-agent COMMAND [OPTIONS]

        \(list(CommandName.allCases.map { ($0.rawValue, $0.summary) }))

        gateway-agent help COMMAND explains one of them. To see it at work: gateway-agent demo
        """
    }

    private static func explanation(_ command: CommandName) -> String {
        let operand = command.operand.map { $0.isRequired ? " \($0.name)" : " [\($0.name)]" } ?? ""
        var text =
            "usage: gateway-agent \(command.rawValue)\(operand)\(command.options.isEmpty ? "" : " [OPTIONS]")\n\n"
        text += story(command)
        if !command.options.isEmpty {
            let rows = (command.options + [.help]).map { option in
                (option.rawValue + (option.valueName.map { " \($0)" } ?? ""), option.summary)
            }
            text += "\n\n" + list(rows)
        }
        return text
    }

    private static func story(_ command: CommandName) -> String {
        switch command {
        case .serve:
            """
            Runs the agent until it is told to stop. Takes the sockets that systemd hands over, else binds those of the
            configuration. SIGHUP takes a changed configuration over, whole or not at all; SIGTERM lets calls under way
            finish.
            """
        case .demo:
            """
            Starts an issuer, a gateway and the agent between them on this host, and tells what happens: a call without
            a secret, a renewal under way, the issuer going down, the fall back to a key, the return. It prints its
            addresses: call it with curl meanwhile.
            """
        case .check:
            """
            Reads the configuration and tells everything that is wrong with it, with line and column. Then asks each
            credential's source once, and tells whether it gave a value, and for how long; never the value.
            Ends with 78 if the configuration is wrong, with 69 if a source fails.
            """
        case .status:
            """
            Shows the credentials of the running agent: which are usable, until when, when each is renewed, what failed
            last; and for each route the link of its chain that is in use.
            """
        case .token:
            """
            Prints the credential NAME as the running agent has it, renewed first if need be. For tools that ask a
            command for their key, such as Claude Code's apiKeyHelper:

                "apiKeyHelper": "gateway-agent token vercel-oidc --min-life 5m"
            """
        case .help: "Explains a command, or lists them all."
        case .version: "Prints the version of this program and what it was built with."
        }
    }

    private static func list(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "  \($0)\(String(repeating: " ", count: width - $0.count))   \($1)" }.joined(separator: "\n")
    }
}
