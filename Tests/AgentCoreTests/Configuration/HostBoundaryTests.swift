// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What counts as this host and its link, and what as the agent itself.
@Suite struct HostBoundaryTests {
    private static func source(_ url: String) -> String {
        "{credentials: {c: {source: 'http', url: '\(url)'}}}"
    }

    @Test(arguments: [
        "169.254.attacker.example", "169.254.169.254.attacker.example", "169.254.1", "a9fe--1.example", "[a9fe::1]",
        "127.0.0.1.attacker.example", "localhost.attacker.example", "fd00.example",
    ])
    func `a name that begins as an address near by is far away`(host: String) {
        #expect(
            configurationProblems(Self.source("http://\(host)/token")).hasSuffix(
                "write https://: over http:// the token could be read on its way"))
    }

    @Test(arguments: [
        "169.254.169.254", "169.254.170.2:80", "[fd00:ec2::254]", "metadata.google.internal", "127.0.0.1", "[::1]",
        "localhost", "issuer.localhost",
    ])
    func `a token may be asked for in plain text on this host and its link`(host: String) {
        #expect(configurationProblems(Self.source("http://\(host)/token")) == "")
    }

    @Test(arguments: ["issuer.localhost", "A.B.LocalHost"])
    func `a name below localhost is this host, whatever a name server says`(name: String) throws {
        let addresses = try Resolver.resolve(name, port: 4748).get()
        #expect(addresses.map(\.description) == ["[::1]:4748", "127.0.0.1:4748"])
    }
}
