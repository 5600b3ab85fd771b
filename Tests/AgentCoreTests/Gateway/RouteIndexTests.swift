// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct RouteIndexTests {
    /// Many, so that slots are shared.
    private static let many = (0..<1000).map { "/many-\($0)/" }

    private func prefix(of path: String, among prefixes: [String]) throws -> String? {
        let plan = try GatewayPlan(
            .init(routes: prefixes.map { .test($0, port: 1) }, credentialNames: [], allow: AllowSpec()), agentUID: 0)
        return plan.routeNumber(for: path.utf8.span).map { plan.routes[$0].spec.prefix }
    }

    @Test(arguments: [
        ("/a/x", "/a/"), ("/a/", "/a/"), ("/a", "/a/"), ("/a/b/c/d", "/a/b/"), ("/a/b", "/a/b/"), ("/a/bc", "/a/"),
        ("/ab/x", "/ab/"), ("/ab", "/ab/"), ("/abc", nil), ("/", nil), ("", nil), ("/A/", nil), ("/a//", "/a/"),
        ("/many-7/v1/models", "/many-7/"), ("/many-999", "/many-999/"), ("/many-1000/", nil), ("/many-", nil),
    ])
    func `the longest prefix that fits is found`(_ path: String, _ expected: String?) throws {
        #expect(try prefix(of: path, among: ["/a/", "/a/b/", "/ab/"] + Self.many) == expected)
    }

    @Test(arguments: [("/x/y", "/"), ("/", "/"), ("/a/x", "/a/"), ("/a", "/a/"), ("/b", "/")])
    func `the shortest prefix takes what is left`(_ path: String, _ expected: String) throws {
        #expect(try prefix(of: path, among: ["/", "/a/"]) == expected)
    }

    @Test func `without routes there is none`() throws {
        #expect(try prefix(of: "/a/", among: []) == nil)
    }
}
