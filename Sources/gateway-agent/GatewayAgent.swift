// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import AgentCore

@main
enum GatewayAgent {
    static func main() async {}
}
