// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Testing

@testable import AgentCore

/// docs/operations.md lists what the program tells: no name less, none more.
@Suite struct OperationsDocumentTests {
    /// The words in backquotes at the start of the rows of a section.
    private func words(_ heading: String, in text: String) throws -> Set<String> {
        let section = try #require(text.split(separator: "\n## \(heading)\n").dropFirst().first)
        let rows = try #require(section.split(separator: "\n## ").first).split(separator: "\n")
        let cells = rows.filter { $0.hasPrefix("| `") }.compactMap { $0.split(separator: " | ").first }
        return Set(cells.flatMap { $0.split(separator: "`").map(String.init).filter { !$0.contains(/[ |,]/) } })
    }

    @Test func `every metric is in the table, and no other`() throws {
        var metrics = MetricsText()
        metrics.append([CredentialMetrics]())
        metrics.append([ChainLinkMetrics]())
        metrics.append(WorkerMetrics())
        metrics.append(droppedLogLines: 0)
        metrics.append(version: "1", started: HostTime(wall: 0, boot: 0))
        let names = metrics.finish().split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            .map { String($0.split(separator: " ")[2]) }
        #expect(try words("Metrics", in: ShippedFile("docs/operations.md").text) == Set(names))
    }

    @Test func `every error word is in the document`() throws {
        let text = try ShippedFile("docs/operations.md").text
        let known = try words("Errors", in: text)
        for rule in HTTPRule.allCases {
            #expect(text.contains("`\(rule.rawValue)`"))
            #expect(!rule.rawValue.contains("_"))
        }
        // The words stand in the sources where an answer is made.
        var found: Set<String> = []
        for file in [
            "Exchange", "Exchange+Local", "Exchange+Forward", "Exchange+Credentials", "Exchange+Relay",
            "Exchange+Collect", "Exchange+Access", "TokenQuery", "Caller",
        ] {
            let source = try ShippedFile("Sources/AgentCore/Gateway/\(file).swift").text
            for match in source.matches(of: /[45][0-9][0-9],\s*"([a-z-]+)"/) { found.insert(String(match.1)) }
        }
        #expect(found.count > 15)
        #expect(found.subtracting(known) == [])
    }
}
