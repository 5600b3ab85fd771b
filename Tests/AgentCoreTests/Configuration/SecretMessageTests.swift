// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// A token pasted where it does not belong: what is said of it goes to the terminal, the log and the status.
@Suite struct SecretMessageTests {
    /// Stands in every token below; no message may hold it, nor the half of it.
    private static let hidden = "S3cretS3cret"
    private static let anthropic = "sk-ant-api03-\(hidden)\(hidden)"
    private static let google = "AIzaSyA0\(hidden)\(hidden)"
    private static let shapeless = "Zm9v0123\(hidden)\(hidden)"

    private static func credential(_ keys: String) -> String { "{credentials: {\nc: {\(keys)}}}" }

    private static func route(_ upstream: String) -> String {
        "{credentials: {a: {source: 'env', name: 'A'}}, routes: {\n'/r/': {upstream: '\(upstream)', chain: ['a']}}}"
    }

    static let pasted: [(text: String, place: String, repair: String)] = [
        (
            credential("source: 'env', name: 'A', header: 'Authorization: Bearer \(anthropic)'"),
            "2:39: credentials.c.header is \"Authorization: Bearer sk-a…\"", "write the name of a header field"
        ),
        (
            credential("source: 'env', name: 'A', scheme: 'Bearer \(anthropic)'"),
            "2:39: credentials.c.scheme is \"Bearer sk-a…\"", "write a word such as \"Bearer\""
        ),
        (
            credential("source: 'env', name: 'A', scheme: 'Bearer \(shapeless)'"),
            "2:39: credentials.c.scheme is \"Bearer Zm9v…\"", "write a word such as \"Bearer\""
        ),
        (
            route("https://h/v1?key=\(google)"),
            "2:19: routes[\"/r/\"].upstream is \"https://h/v1?key=AIza…\"", "delete \"?\" and what follows"
        ),
        (
            route("https://h/v1?a=b&key=\(google)"),
            "2:19: routes[\"/r/\"].upstream is \"https://h/v1?a=b&key=AIza…\"", "delete \"?\" and what follows"
        ),
        (
            route("h.example/\(anthropic)"),
            "2:19: routes[\"/r/\"].upstream is \"h.example/sk-a…\"", "write \"https://h.example/sk-a…\""
        ),
        (
            route("https://h/\(String(repeating: "x/", count: 32))\(anthropic)#"),
            "2:19: routes[\"/r/\"].upstream is \"https://h/x/x/", "delete \"#\" and what follows"
        ),
        (
            credential("source: 'http', url: 'http://h/token?key=\(google)'"),
            "2:26: credentials.c.url is \"http://h/token?key=AIza…\"", "write https://"
        ),
        (
            credential("source: 'http', url: 'https://h/', headers: {'Authorization: Bearer \(anthropic)'}"),
            "2:", "a colon is missing"
        ),
        (
            credential("source: 'http', url: 'https://h/', headers: {'Authorization: Bearer \(anthropic)': ''}"),
            "2:50: credentials.c.headers[\"Authorization: Bearer sk-a…\"] is no name for a header field",
            "write the name of a header field"
        ),
        (
            "{sk_live_\(hidden)\(hidden): 1, credentials: {}}", "1:2: [\"sk_l…\"] is no known key", "known here: "
        ),
        (credential("source: 'env', name: 'A', \(shapeless): 1"), "2:31: credentials.c[\"Zm9v…\"] is no known key", ""),
        (
            "{sk_live_\(hidden): 1, sk_live_\(hidden): 2, credentials: {}}",
            "1:27: [\"sk_l…\"] is written twice, first in line 1", "delete one"
        ),
        ("{\(anthropic): 1}", "1:2: this key needs quotes", "add them"),
        ("{\(shapeless) 1}", "1:35: a colon is missing after this key", ""),
        (
            "{credentials: {'\(anthropic)': {source: 'env', name: 'A'}}, routes: {\n'/r/': {upstream: 'https://h/', chain: ['x']}}}",
            "2:41: routes[\"/r/\"].chain[0] names no credential \"x\"", "there are: sk-a…"
        ),
    ]

    @Test(arguments: pasted)
    func `a token in a wrong place is not shown, and the place and the repair are`(
        text: String, place: String, repair: String
    ) {
        let said = configurationProblems(text)
        #expect(!said.contains(Self.hidden.prefix(6)), "\(said)")
        #expect(said.contains("a.json5:\(place)"), "\(said)")
        #expect(said.contains(repair), "\(said)")
    }

    @Test func `a key that is too long to be read is cut`() {
        let key = String(repeating: "k", count: 5000)
        let shown = "[\"\(String(repeating: "k", count: QuotedText.limit))…\"]"
        #expect(
            configurationProblems("{\(key): 1, credentials: {}}").hasPrefix("a.json5:1:2: \(shown) is no known key"))
        #expect(configurationProblems("{\(key) 1}").utf8.count < 100)
        #expect(configurationProblems("{\(key)-: 1}").utf8.count < 100)
        #expect(!configurationProblems("{'\\u001b[m' 1}").contains("\u{1B}"))
    }

    @Test(arguments: [
        ("'exec', command: ['vercel', 'project', 'token', 'prj_12HKQaOmR5t5Uy6vdcQsNIiZgHGB']"),
        ("'exec', command: ['az', 'account', 'get-access-token', '--tenant', '72f988bf-86f1-41af-91ab-2d7cd011db47']"),
        ("'exec', command: ['/opt/sk-learn-env/bin/token', '--client=72f988bf-86f1-41af-91ab-2d7cd011db47']"),
        ("'exec', command: ['x'], environment: {AZURE_TENANT_ID: '72f988bf-86f1-41af-91ab-2d7cd011db47'}"),
        ("'http', url: 'https://h/', method: 'POST', body: '{\"client_id\":\"72f988bf-86f1-41af-91ab-2d7cd011db47\"}'"),
        ("'http', url: 'https://h/', headers: {'x-project': 'prj_12HKQaOmR5t5Uy6vdcQsNIiZgHGB'}"),
    ])
    func `names and numbers of accounts are no secrets`(source: String) {
        #expect(configurationProblems(Self.credential("source: \(source)")) == "")
    }

    @Test(arguments: [
        "'exec', command: ['x', '\(anthropic)']", "'exec', command: ['x', '--token=ghp_\(hidden)']",
        "'exec', command: ['x', 'Authorization:Bearer eyJ\(hidden)']", "'exec', command: ['x', '\(google),x']",
        "'exec', command: ['curl', 'https://h/?key=\(google)&x']",
        "'exec', command: ['x'], environment: {X: '\(anthropic)'}",
        "'http', url: 'https://h/', method: 'POST', body: '{\"client_secret\":\"\(anthropic)\"}'",
        "'http', url: 'https://h/', method: 'POST', body: 'a=b&client_secret=\(anthropic)'",
        "'http', url: 'https://h/', headers: {x: '\(anthropic)'}",
    ])
    func `what begins as tokens do is refused in commands and requests`(source: String) {
        let said = configurationProblems(Self.credential("source: \(source)"))
        #expect(said.contains(" has the look of a secret; keep it out of the configuration"), "\(said)")
        #expect(!said.contains(Self.hidden) && !said.contains("\n"), "\(said)")
    }

    @Test func `whatever stands in a field for credentials is refused`() {
        let said = configurationProblems(
            Self.credential("source: 'http', url: 'https://h/', headers: {'x-api-key': '\(Self.shapeless)'}"))
        #expect(said.contains("headers[\"x-api-key\"] would hold a secret in the configuration"), "\(said)")
        #expect(!said.contains(Self.hidden))
    }
}
