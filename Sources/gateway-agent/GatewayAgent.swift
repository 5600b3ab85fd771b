// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import AgentCore

/// Arguments in, exit status out; everything else is in AgentCore.
@main
enum GatewayAgent {
    static func main() {
        CommandRunner.run(Array(CommandLine.arguments.dropFirst()))
    }
}
