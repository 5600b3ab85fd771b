// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The one place where the version is written.
enum AgentVersion {
    static let current = "0.1.0"
}
