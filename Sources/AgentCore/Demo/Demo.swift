// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

enum Demo {
    static func run(once: Bool) -> ExitCode { .software }
}
