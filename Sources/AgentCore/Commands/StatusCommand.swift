// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// `gateway-agent status`: how the credentials of the running agent are, for people or, with `--json`, for programs.
enum StatusCommand {
    static func run(_ address: ParsedCommand.AgentAddress, json: Bool) -> ExitCode {
        do throws(AgentClient.Failure) {
            let answer = try AgentClient(address).get("/-/status")
            guard answer.status == 200 else { throw AgentClient.failure(answer) }
            if json {
                return CommandRunner.outputEnd(answer.content.withExposedBytes { StandardStream.output.write($0) })
            }
            let document = answer.content.withExposedBytes { bytes in
                try? JSONValue.decode(bytes, maximumBytes: 16 << 20, maximumDepth: 16)
            }
            guard let document else {
                throw AgentClient.Failure(
                    exit: .protocolBroken, message: "the agent's status cannot be read; is it of another version?")
            }
            return CommandRunner.printOutput(StatusReport(document).text(hasColours: CommandRunner.hasColours))
        } catch {
            CommandRunner.printError(error.message)
            return error.exit
        }
    }
}
