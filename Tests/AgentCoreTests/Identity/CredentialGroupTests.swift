// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct CredentialGroupTests {
    private func spec(_ name: String, _ audience: String, _ change: (inout CredentialSpec) -> Void = { _ in })
        -> CredentialSpec
    {
        var http = HTTPSourceSpec(target: .url("https://issuer.example/token"), method: "POST")
        http.body = Template(parts: [.literal("audience="), .literal(audience)])
        var spec = CredentialSpec(name: name, source: .http(http))
        change(&spec)
        return spec
    }

    @Test func `credentials of one source are one group, whatever their form`() throws {
        let groups = CredentialGroup.groups([
            spec("a", "one"), spec("b", "two"), spec("c", "one") { $0.form = .apiKey },
        ])
        #expect(groups.map { $0.members.map(\.name) } == [["a", "c"], ["b"]])
    }

    @Test func `another audience, method, field or secret is another source`() {
        let base = spec("a", "one")
        var others: [CredentialSpec] = [spec("b", "two")]
        for change: (inout HTTPSourceSpec) -> Void in [
            { $0.method = "GET" }, { $0.field = .json(token: "/t", expiry: nil) },
            { $0.fields = [.init(name: "authorization", value: Template(parts: [.secret(TestToken.secret("x"))]))] },
            { $0.fields = [.init(name: "authorization", value: Template(parts: [.secret(TestToken.secret("y"))]))] },
        ] {
            var http = HTTPSourceSpec(target: .url("https://issuer.example/token"), method: "POST")
            http.body = Template(parts: [.literal("audience="), .literal("one")])
            change(&http)
            others.append(CredentialSpec(name: "c\(others.count)", source: .http(http)))
        }
        #expect(CredentialGroup.groups([base] + others).count == 1 + others.count)
    }

    @Test func `a group does what any of its members asks for`() throws {
        let groups = CredentialGroup.groups([
            spec("a", "one") { $0.maxAge = .seconds(600) },
            spec("b", "one") {
                $0.maxAge = .seconds(60)
                $0.prefetch = true
            },
            spec("c", "one") { $0.isKept = true },
        ])
        let merged = try #require(groups.first?.spec)
        #expect(groups.count == 1)
        #expect(merged.maxAge == .seconds(60) && merged.prefetch && merged.isKept)
        #expect(merged.name == "a")
    }
}
