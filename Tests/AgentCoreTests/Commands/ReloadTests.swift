// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What the log says of reloads.
@Suite(.timeLimit(.minutes(1)))
struct ReloadTests {
    @Test func `what needs a restart is told by every reload until it is undone`() async throws {
        try await withAgent { _, _ in
        } _: { agent in
            let rows: [(change: @Sendable (inout Configuration) -> Void, needs: String)] = [
                ({ $0.listen.unixPath = "/run/other.sock" }, "listen"),
                ({ $0.timeouts.drain = .seconds(3) }, "listen"),
                ({ $0.threads = 3 }, "listen, threads"),
                ({ $0.listen = ListenSpec() }, "threads"),
                ({ $0.threads = 2 }, "nothing"),
            ]
            for row in rows { try agent.reload(row.change) }
            let said = agent.log.text.split(separator: "\n").filter { $0.contains("configuration reloaded") }
            #expect(said.count == rows.count)
            for (line, row) in zip(said, rows) {
                #expect(line.contains("\"needsRestart\":\"\(row.needs)\""), "\(line)")
            }
        }
    }

    @Test func `a reload that fails tells each problem in a line of its own, whole`() async throws {
        try await withAgent { _, _ in
        } _: { agent in
            let problems = (1...12).map { "problem \($0): " + String(repeating: "x", count: 200) }
            try agent.reloadFailed(problems.joined(separator: "\n"))
            let said = agent.log.text.split(separator: "\n").filter { $0.contains("configuration not reloaded") }
            #expect(said.count == problems.count)
            for (line, problem) in zip(said, problems) {
                #expect(line.contains("\"reason\":\"\(problem)\""), "\(line)")
            }
        }
    }
}
