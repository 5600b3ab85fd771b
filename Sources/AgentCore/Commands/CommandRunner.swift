// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The program: a command line in, an exit status out.
public enum CommandRunner {
    /// Runs the command that `arguments` (without the program's own name) tell of, and ends the process with a status of
    /// sysexits(3).
    ///
    /// To be called on the main thread, before any other thread exists: what takes signals over does so for all of them.
    public static func run(_ arguments: [String]) -> Never {
        HostProcess.holdStandardStreams()
        HostSignals.settle()
        do throws(UsageError) {
            HostProcess.exit(with: try run(ParsedCommand(arguments)).rawValue)
        } catch {
            printError("\(error)")
            HostProcess.exit(with: ExitCode.usage.rawValue)
        }
    }

    /// Only what reads the steering signals takes them over: any other command is ended by them, as every program is.
    private static func run(_ command: ParsedCommand) -> ExitCode {
        switch command {
        case .serve(let configuration):
            HostSignals.takeOver()
            return ServeCommand.run(configuration)
        case .demo(let once, let printJSON):
            HostSignals.takeOver()
            return Demo.run(once: once, printJSON: printJSON)
        case .check(let configuration, let offline): return CheckCommand.run(configuration, offline: offline)
        case .status(let address, let json): return StatusCommand.run(address, json: json)
        case .token(let request): return TokenCommand.run(request)
        case .help(let command): return printOutput(HelpText.text(command))
        case .version: return printOutput("gateway-agent \(AgentVersion.current) (\(TLSLibrary.version))")
        }
    }

    /// - Returns: what to exit with. A script must not take half an answer for the whole.
    static func printOutput(_ text: String) -> ExitCode {
        outputEnd(StandardStream.output.write("\(text)\n".utf8.span))
    }

    /// What to exit with after the last write to standard output; says so if it did not go through.
    static func outputEnd(_ isWritten: Bool) -> ExitCode {
        if isWritten { return .success }
        printError("standard output takes no more; see where it goes: a full disk, a closed pipe")
        return .inputOutput
    }

    /// Whether to colour: a terminal, and nobody has asked for none (no-color.org).
    static var hasColours: Bool {
        StandardStream.output.isTerminal && HostProcess.environment["NO_COLOR", default: ""].isEmpty
    }

    /// Errors go to standard error, each line with the program's name before it.
    static func printError(_ text: String) {
        for line in text.split(separator: "\n") {
            let _: Bool = StandardStream.error.write("gateway-agent: \(line)\n".utf8.span)
        }
    }

    /// Loads the configuration that `--config` or the user's surroundings name; tells what is wrong with it.
    static func load(_ option: String?) -> (Configuration, ConfigurationFiles)? {
        let files = configurationFiles(option)
        do throws(ConfigurationProblems) {
            return (try files.load(), files)
        } catch {
            printError("\(error)")
            return nil
        }
    }

    static func configurationFiles(_ option: String?) -> ConfigurationFiles {
        ConfigurationFiles.choose(
            option: option, isRoot: HostProcess.userID == 0, environment: HostProcess.environment,
            exists: ConfigurationFiles.exists)
    }
}
