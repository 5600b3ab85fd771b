// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Testing

@testable import AgentCore

@Suite struct RefreshConfigurationTests {
    private func source(_ refresh: String, field: String = "field: '/access_token'") throws -> HTTPSourceSpec? {
        let text = "{credentials: {c: {source: 'http', url: 'https://i.example/token', \(field), \(refresh)}}}"
        guard case .http(let http)? = try readConfiguration(text).credentials["c"]?.source else { return nil }
        return http
    }

    private func problems(_ refresh: String, field: String = "field: '/access_token'") -> String {
        configurationProblems("{credentials: {c: {source: 'http', url: 'https://i.example/t', \(field), \(refresh)}}}")
    }

    @Test func `an empty refresh is the grant of RFC 6749 section 6`() throws {
        let refresh = try #require(try source("refresh: {}")?.refresh)
        #expect(refresh.field == "/refresh_token")
        #expect(refresh.body.parts == [.literal("grant_type=refresh_token&refresh_token="), .refreshToken])
        #expect(refresh.target == nil && refresh.fields == nil)
        #expect(try source("method: 'GET'")?.refresh == nil)
    }

    @Test func `all of it can be said otherwise`() throws {
        let refresh = try #require(
            try source(
                """
                refresh: {
                  field: '/data/refresh', url: 'https://i.example/refresh',
                  headers: { 'content-type': 'application/json', authorization: 'Basic ${env:CLIENT}' },
                  body: '{"t":"${refresh}","s":"${file:/run/s}","d":"$$"}',
                }
                """)?.refresh)
        #expect(refresh.field == "/data/refresh" && refresh.target == .url("https://i.example/refresh"))
        #expect(refresh.fields?.map(\.name) == ["authorization", "content-type"])
        #expect(
            refresh.body.parts == [
                .literal("{\"t\":\""), .refreshToken, .literal("\",\"s\":\""), .file(path: "/run/s"),
                .literal("\",\"d\":\"$\"}"),
            ])
    }

    @Test(arguments: [
        ("refresh: {body: 'grant_type=refresh_token'}", "c.refresh.body never sends the refresh token"),
        ("refresh: {body: '${refresh', }", "has a \"${\" that is not closed"),
        ("refresh: {feld: '/x'}", "field"), ("refresh: {url: 'http://i.example/'}", "write https://"),
        ("body: 'x=${refresh}'", "write it in the body of refresh: {…}"),
        ("headers: {'x-a': '${refresh}'}", "write it in the body of refresh: {…}"),
        ("refresh: {headers: {authorization: 'abc'}}", "would hold a secret in the configuration"),
    ])
    func `a mistake is told with its repair`(_ refresh: String, _ words: String) {
        let problems = problems(refresh)
        #expect(problems.contains(words), "\(problems)")
    }

    @Test func `without field there is no answer to look into`() {
        let problems = problems("refresh: {}", field: "method: 'POST'")
        #expect(problems.contains("credentials.c.refresh stands without field"), "\(problems)")
    }

    @Test func `another source has none`() {
        let problems = configurationProblems("{credentials: {c: {source: 'exec', command: ['x'], refresh: {}}}}")
        #expect(problems.contains("refresh"), "\(problems)")
    }

    @Test func `the schema for editors knows what is kept and refreshed`() throws {
        let file =
            URL(filePath: #filePath).deletingLastPathComponent().path
            + "/../../../packaging/gateway-agent.schema.json"
        let schema = try JSONValue.decode([UInt8](try Data(contentsOf: URL(filePath: file))).span)
        let kinds = try #require(schema[try JSONPointer("/$defs/credential/oneOf")]?.arrayValue)
        for kind in kinds {
            let properties = try #require(kind["properties"])
            let source = properties["source"]?["const"]?.stringValue ?? ""
            #expect((properties["cache"] != nil) == ["exec", "http"].contains(source), "\(source)")
            #expect((properties["refresh"] != nil) == (source == "http"), "\(source)")
        }
    }

    @Test func `files of a refresh are watched as those of the first request`() throws {
        let text = """
            {credentials: {c: {source: 'http', url: 'https://i.example/', method: 'POST', field: '/t', body: '${file:/run/a}',
              refresh: {body: '${refresh}${file:/run/b}', headers: {x: '${file:/run/c}'}}}}}
            """
        let spec = try #require(try readConfiguration(text).credentials["c"])
        #expect(CredentialSources.watchedPaths(spec).sorted() == ["/run/a", "/run/b", "/run/c"])
    }
}
