// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Testing

@testable import AgentCore

/// What the package ships fits the program it ships.
@Suite struct PackagingTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test func `each moment of life has one entry in the catalogue`() throws {
        let catalogue = try Self.text("packaging/gateway-agent.catalog")
        let listed = catalogue.split(separator: "\n").filter { $0.hasPrefix("-- ") }.map { String($0.dropFirst(3)) }
        #expect(listed.sorted() == LifeEvent.allCases.map(\.messageID).sorted())
        #expect(Set(listed).count == LifeEvent.allCases.count)
        for number in listed { #expect(number.count == 32 && number.allSatisfy { "0123456789abcdef".contains($0) }) }
    }

    @Test func `the default configuration serves nothing`() throws {
        let configuration = try Configuration.read([
            ConfigurationText(file: "agent.json5", bytes: Array(try Self.text("packaging/agent.json5").utf8))
        ])
        #expect(configuration.routes.isEmpty)
        #expect(configuration.credentials.isEmpty)
    }

    @Test(arguments: ["vercel", "coder", "anthropic", "openai"])
    func `an example laid over the default configuration is accepted`(name: String) throws {
        let files = ["packaging/agent.json5", "packaging/examples/\(name).json5"]
        let configuration = try Configuration.read(
            try files.map { ConfigurationText(file: $0, bytes: Array(try Self.text($0).utf8)) })
        #expect(configuration.routes.map(\.prefix) == ["/\(name)/"])
    }

    @Test func `completions and the manual name every command and option`() throws {
        for file in [
            "packaging/completions/gateway-agent.bash", "packaging/completions/_gateway-agent",
            "packaging/completions/gateway-agent.fish", "packaging/man/gateway-agent.8",
        ] {
            let text = try Self.text(file).replacing("\\-", with: "-")
            for command in CommandName.allCases { #expect(text.contains(command.rawValue), "\(file): \(command)") }
            for option in OptionName.allCases {
                let long = option.rawValue
                // fish writes --long as `-l long`.
                #expect(text.contains(long) || text.contains("-l \(long.dropFirst(2))"), "\(file): \(long)")
            }
        }
    }

    /// A misspelt key makes the program name the keys it knows; the schema has to know the same.
    @Test(arguments: [
        ("", "properties"), ("limits", "properties/limits/properties"), ("timeouts", "properties/timeouts/properties"),
        ("listen", "properties/listen/properties"), ("log", "properties/log/properties"),
        ("allow", "$defs/allow/properties"),
    ])
    func `the schema knows the keys that the program knows`(section: String, place: String) throws {
        let schema = try JSONValue.decode(Array(try Self.text("packaging/gateway-agent.schema.json").utf8).span)
        let found = try #require(schema[try JSONPointer("/" + place)])
        guard case .object(let members) = found else {
            Issue.record("\(place) is no object")
            return
        }
        for key in members.keys where key != "$schema" {
            let inner = "\(key): {}"
            let text = section.isEmpty ? "{ \(inner) }" : "{ routes: {}, \(section): { \(inner) } }"
            do throws(ConfigurationProblems) {
                _ = try Configuration.read([ConfigurationText(file: "x", bytes: Array(text.utf8))])
            } catch {
                #expect(!"\(error)".contains("unknown"), "\(section).\(key): \(error)")
            }
        }
    }
}
