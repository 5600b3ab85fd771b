// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What the package ships fits the program it ships.
@Suite struct PackagingTests {
    @Test func `each moment of life has one entry in the catalogue`() throws {
        let catalogue = try ShippedFile("packaging/gateway-agent.catalog").text
        let listed = catalogue.split(separator: "\n").filter { $0.hasPrefix("-- ") }.map { String($0.dropFirst(3)) }
        #expect(listed.sorted() == LifeEvent.allCases.map(\.messageID).sorted())
        #expect(Set(listed).count == LifeEvent.allCases.count)
        for number in listed { #expect(number.count == 32 && number.allSatisfy { "0123456789abcdef".contains($0) }) }
    }

    @Test func `the default configuration serves nothing`() throws {
        let configuration = try Configuration.read([
            ConfigurationText(file: "agent.json5", bytes: try ShippedFile("packaging/agent.json5").bytes)
        ])
        #expect(configuration.routes.isEmpty)
        #expect(configuration.credentials.isEmpty)
    }

    @Test(arguments: ["vercel", "coder", "anthropic", "openai"])
    func `an example laid over the default configuration is accepted`(name: String) throws {
        let files = ["packaging/agent.json5", "packaging/examples/\(name).json5"]
        let configuration = try Configuration.read(
            try files.map { ConfigurationText(file: $0, bytes: try ShippedFile($0).bytes) })
        #expect(configuration.routes.map(\.prefix) == ["/\(name)/"])
    }

    @Test func `completions and the manual name every command and option`() throws {
        for file in [
            "packaging/completions/gateway-agent.bash", "packaging/completions/_gateway-agent",
            "packaging/completions/gateway-agent.fish", "packaging/man/gateway-agent.8",
        ] {
            let text = try ShippedFile(file).text.replacing("\\-", with: "-")
            for command in CommandName.allCases { #expect(text.contains(command.rawValue), "\(file): \(command)") }
            for option in OptionName.allCases {
                let long = option.rawValue
                // fish writes --long as `-l long`.
                #expect(text.contains(long) || text.contains("-l \(long.dropFirst(2))"), "\(file): \(long)")
            }
        }
    }
}
