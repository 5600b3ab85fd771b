// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What a person sees of the document that programs get.
@Suite struct StatusReportTests {
    private func report(_ route: String, credential: String = "") throws -> String {
        let text = """
            {"version":"1","state":"serving","credentials":[{"name":"oidc","kind":"token","source":"http",
            "phase":"fresh","usable":true,"generation":1,"mints":3,"fetches":3,"expires_in":240\(credential)}],
            "routes":[{"route":"/api/","upstream":"https://u.example/","inject":[{"chain":["oidc","key"]\(route)}]}]}
            """
        return StatusReport(try JSONValue.decode(Array(text.utf8).span)).text(hasColours: false)
    }

    @Test(arguments: [
        (#","in_use":"oidc","link":0,"why":"preferred""#, "oidc (preferred)", ""),
        (
            #","in_use":"key","link":1,"why":"unavailable""#, "key (unavailable)",
            "/api/: calls fall back to key, since what stands before it cannot be had"
        ),
        (
            #","in_use":"key","link":1,"why":"rejected""#, "key (rejected)",
            "/api/: calls fall back to key, since the upstream rejected what stands before it"
        ),
        (
            #","in_use":"oidc","link":0,"why":"last-resort""#, "oidc (last-resort)",
            "/api/: calls still use oidc, which the upstream rejected, since there is nothing better"
        ),
        (#","in_use":null,"asks_for":"oidc""#, "oidc, not asked for yet", ""),
        (
            #","in_use":null"#, "none: calls get 503",
            "/api/: calls get 503, since no credential of the chain can be used"
        ),
    ])
    func `which link is in use, and why, is in the table of routes and below it`(
        _ injection: String, _ cell: String, _ line: String
    ) throws {
        let text = try report(injection)
        let row = text.split(separator: "\n").first { $0.hasPrefix("/api/ ") }
        #expect(row?.hasSuffix(cell) == true, "\(text)")
        let below = text.split(separator: "\n").last { $0.hasPrefix("/api/:") }
        #expect(below.map(String.init) ?? "" == line, "\(text)")
    }

    @Test(arguments: [
        ("", "usable ", ""),
        (#","rejected":true"#, "usable, rejected", "oidc: the value held was rejected by an upstream"),
        (
            #","error":{"code":"refused","message":"the issuer answered 500","failures":2}"#, "usable, renewal fails",
            "oidc: the issuer answered 500"
        ),
        (#","clock_skew":"this host's clock is 2 h ahead""#, "usable ", "oidc: this host's clock is 2 h ahead"),
    ])
    func `what is wrong with a credential is in its row and below`(
        _ member: String, _ state: String, _ line: String
    ) throws {
        let text = try report(#","in_use":"oidc","link":0,"why":"preferred""#, credential: member)
        let row = text.split(separator: "\n").first { $0.hasPrefix("oidc ") }
        #expect(row?.contains("http    \(state)") == true, "\(text)")
        #expect(line.isEmpty || text.hasSuffix(line), "\(text)")
    }
}
