// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import AgentCore

/// Measures the agent; not installed. A program of its own, so that the agent has no command that only its authors need.
@main
enum WorkbenchProgram {
    static func main() {
        Workbench.run(Array(CommandLine.arguments.dropFirst()))
    }
}
