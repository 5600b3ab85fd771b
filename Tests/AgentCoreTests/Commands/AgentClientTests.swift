// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct AgentClientTests {
    /// What `status` and `token` say where nobody answers.
    private static func message(
        _ address: ParsedCommand.AgentAddress, _ files: ConfigurationFiles? = nil
    ) async -> String {
        await EventLoop.offload {
            do throws(AgentClient.Failure) {
                _ = try AgentClient(address, files: files).get("/-/status")
                return "answered"
            } catch { return error.message }
        }
    }

    @Test(arguments: [false, true])
    func `who finds no agent is told how to start the one that was meant`(isOwn: Bool) async {
        let folder = ScratchFolder()
        let socket = folder.path("agent.sock")
        let file = folder.write("{ credentials: {}, listen: { unix: '\(socket)' } }", to: "agent.json5")
        let scope: ConfigurationScope = isOwn ? .user(runtimeFolder: folder.path) : .system
        let message = await Self.message(
            ParsedCommand.AgentAddress(), ConfigurationFiles(mainFile: file, scope: scope))
        #expect(message.hasPrefix("the agent does not answer (\(socket): "), "\(message)")
        #expect(
            message.hasSuffix(
                "; start it with: systemctl \(isOwn ? "--user " : "")start gateway-agent.socket, or gateway-agent serve"
            ),
            "\(message)")
    }

    @Test func `a socket that was named belongs to the host`() async {
        let path = ScratchFolder().path("agent.sock")
        let message = await Self.message(ParsedCommand.AgentAddress(socket: path))
        #expect(message.hasSuffix("start it with: systemctl start gateway-agent.socket, or gateway-agent serve"))
    }
}
