// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Testing

@testable import AgentCore

/// What the documents show is what the program takes.
@Suite struct DocumentedConfigurationTests {
    private static func blocks(of document: String) throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: document), encoding: .utf8)
        return text.split(separator: "```json5\n").dropFirst().compactMap { block in
            block.split(separator: "\n```").first.map(String.init)
        }
    }

    @Test(arguments: ["README.md", "docs/configuration.md"])
    func `every configuration in the documents is accepted`(document: String) throws {
        let blocks = try Self.blocks(of: document)
        #expect(!blocks.isEmpty)
        for block in blocks {
            let configuration = try Configuration.read([
                ConfigurationText(file: document, bytes: Array(block.utf8))
            ])
            #expect(!configuration.credentials.isEmpty)
        }
    }

    @Test func `a configuration that breaks off at any byte is refused with the place`() throws {
        let block = try #require(try Self.blocks(of: "README.md").first)
        let bytes = Array(block.utf8)
        let end = try #require(bytes.lastIndex(of: UInt8(ascii: "}")))
        for count in 0..<end {
            let problems = #expect(throws: ConfigurationProblems.self) {
                try Configuration.read([ConfigurationText(file: "cut.json5", bytes: Array(bytes[..<count]))])
            }
            #expect(problems.map { "\($0)" }?.contains("cut.json5:") == true)
        }
    }
}
