// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Testing

@testable import AgentCore

/// What the documents show is what the program takes.
@Suite struct DocumentedConfigurationTests {
    @Test(arguments: ["README.md", "docs/configuration.md"])
    func `every configuration in the documents is accepted`(document: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: document), encoding: .utf8)
        let blocks = text.split(separator: "```json5\n").dropFirst().compactMap { $0.split(separator: "\n```").first }
        #expect(!blocks.isEmpty)
        for block in blocks {
            let configuration = try Configuration.read([
                ConfigurationText(file: document, bytes: Array(block.utf8))
            ])
            #expect(!configuration.credentials.isEmpty)
        }
    }
}
