// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct ParsedCommandTests {
    @Test(arguments: [
        ("", ParsedCommand.help(nil)), ("--help", .help(nil)), ("-h", .help(nil)), ("help", .help(nil)),
        ("help token", .help(.token)),
        ("token --help", .help(.token)), ("serve -h", .help(.serve)), ("version", .version), ("--version", .version),
        ("-V", .version), ("serve", .serve(configuration: nil)), ("serve --config /c", .serve(configuration: "/c")),
        ("serve --config=/c=d", .serve(configuration: "/c=d")), ("demo", .demo(once: false, printJSON: false)),
        ("demo --once", .demo(once: true, printJSON: false)),
        ("demo --print-json", .demo(once: false, printJSON: true)),
        ("check", .check(configuration: nil, offline: false)),
        ("check --offline --config c", .check(configuration: "c", offline: true)),
        ("status --json", .status(.init(), json: true)),
        ("status --socket /s --config c", .status(.init(socket: "/s", configuration: "c"), json: false)),
        ("token a", .token(.init(name: "a"))),
        ("token --min-life 5m a --format json", .token(.init(name: "a", minimumLife: .seconds(300), format: .json))),
        ("token --socket=/s -- --a", .token(.init(name: "--a", agent: .init(socket: "/s")))),
    ])
    func `a command line is understood`(line: String, command: ParsedCommand) throws {
        #expect(try ParsedCommand(line.split(separator: " ").map(String.init)) == command)
    }

    @Test(arguments: [
        ("stauts", "unknown command \"stauts\"; did you mean \"status\"?"),
        ("STATUS", "unknown command \"STATUS\"; did you mean \"status\"?"),
        ("frobnicate", "unknown command \"frobnicate\"; gateway-agent help lists the commands"),
        (
            "--json status",
            "the option \"--json\" stands before a command; write the command first, such as gateway-agent status --json"
        ),
        ("help tokne", "unknown command \"tokne\"; did you mean \"token\"?"),
        ("status --jsn", "status has no option \"--jsn\"; did you mean \"--json\"?"),
        ("status --once", "status has no option \"--once\"; it has --json, --socket, --config, --help"),
        ("status -x", "status has no option \"-x\"; it has --json, --socket, --config, --help"),
        ("status all", "status takes no \"all\"; gateway-agent help status shows what it takes"),
        ("status --json=yes", "--json takes no value; write --json alone"),
        ("serve --config", "--config has no PATH; write --config PATH"),
        ("serve --config=", "--config has no PATH; write --config PATH"),
        ("status --socket --json", "--socket has no PATH; write --socket PATH"),
        ("serve --config a --config b", "--config is written twice; delete one"),
        ("token", "token has no NAME; name a credential of the configuration: gateway-agent token NAME"),
        ("token a b", "token takes one NAME, and \"b\" is one more; delete it"),
        ("token a --min-life 400d", "--min-life is \"400d\"; write a duration of at most \"30d\""),
        ("token a --min-life 5", "--min-life is \"5\"; write a duration such as \"30s\", \"5m\" or \"1h30m\""),
        ("token a --format jsn", "--format is \"jsn\"; did you mean \"json\"?"),
        ("token a --format yaml", "--format is \"yaml\"; write one of \"plain\", \"json\", \"header\""),
    ])
    func `a wrong word is named, with what to write instead`(line: String, sentence: String) {
        let error = #expect(throws: UsageError.self) {
            try ParsedCommand(line.split(separator: " ").map(String.init))
        }
        #expect(error?.description == sentence)
    }

    @Test func `an empty word is no name`() {
        let error = #expect(throws: UsageError.self) { try ParsedCommand(["token", ""]) }
        #expect(error?.description == "the NAME is empty; gateway-agent help token shows what it takes")
    }

    @Test(arguments: [nil] + CommandName.allCases)
    func `help names every command and option, in lines that fit a terminal`(command: CommandName?) {
        let text = HelpText.text(command)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.count <= 120 && $0.last != " " })
        let words =
            command.map { $0.options.map(\.rawValue) + ["gateway-agent \($0.rawValue)"] }
            ?? CommandName.allCases.map(\.rawValue)
        for word in words { #expect(text.contains(word)) }
    }

    @Test func `exit codes are those of sysexits`() {
        #expect(
            ExitCode.usage.rawValue == 64 && ExitCode.unavailable.rawValue == 69
                && ExitCode.configuration.rawValue == 78)
    }
}

@Suite struct TextTableTests {
    @Test func `columns line up, and nothing stands behind the last word`() {
        var table = TextTable("NAME", "STATE", "ERROR")
        table.add("vercel-oidc", TextTable.Cell("fresh", .good))
        table.add("k", TextTable.Cell("failing", .bad), "exit 1", "one too many")
        #expect(
            table.rendered(isTerminal: false) == """
                NAME         STATE    ERROR
                vercel-oidc  fresh
                k            failing  exit 1

                """)
    }

    @Test func `colours are for terminals, and take no room`() {
        var table = TextTable("A", "B")
        table.add(TextTable.Cell("x", .good), "y")
        #expect(
            table.rendered(isTerminal: true) == "\u{1B}[1mA\u{1B}[0m  \u{1B}[1mB\u{1B}[0m\n\u{1B}[32mx\u{1B}[0m  y\n")
    }

    @Test func `a cell cannot steer the terminal or break the row`() {
        var table = TextTable("A")
        table.add("\u{1B}[2J\nx\u{9B}y\u{202E}z")
        #expect(table.rendered(isTerminal: true).hasSuffix("\n?[2J?x?y?z\n"))
    }
}
