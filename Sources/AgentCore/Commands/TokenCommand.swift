// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// `gateway-agent token NAME`: prints a token and nothing else, so that it serves as a helper command of other tools.
enum TokenCommand {
    static func run(_ request: ParsedCommand.TokenRequest) -> ExitCode {
        do throws(AgentClient.Failure) {
            var target = "/-/token/\(request.name)?min-life=\(request.minimumLife.map(\.wholeSeconds) ?? 0)"
            guard request.name.utf8.allSatisfy({ ByteClass.hostName.contains($0) }) else {
                throw AgentClient.Failure(
                    exit: .usage,
                    message: "\(QuotedText.quote(request.name)) is not the name of a credential; "
                        + "names have letters, digits, \"-\", \"_\" and \".\"")
            }
            if request.format == .json { target += "&format=json" }
            let answer = try AgentClient(request.agent).get(target)
            guard answer.status == 200 else { throw AgentClient.failure(answer) }
            var output = ByteBuffer(capacity: answer.content.count + 64)
            if request.format == .header { output.append("Authorization: Bearer ") }
            answer.content.withExposedBytes { output.append($0) }
            let isWritten: Bool = StandardStream.output.write(output.readable)
            output.consumeWiping(output.count)
            return CommandRunner.outputEnd(isWritten)
        } catch {
            CommandRunner.printError(error.message)
            return error.exit
        }
    }
}

extension Duration {
    /// Rounded up: who asks for half a second of life does not get less.
    fileprivate var wholeSeconds: Int64 {
        max(0, (nanoseconds / 1_000_000_000) + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0))
    }
}
