// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Testing

@testable import AgentCore

/// Reads a configuration of the given texts, named a.json5, b.json5…
func readConfiguration(_ texts: String..., scope: ConfigurationScope = .system) throws -> Configuration {
    let names = ["a.json5", "b.json5", "c.json5"]
    return try Configuration.read(
        zip(names, texts).map { ConfigurationText(file: $0, bytes: Array($1.utf8)) }, scope: scope)
}

/// What is wrong with the texts, one sentence a line; empty if nothing is.
func configurationProblems(_ texts: String...) -> String {
    let names = ["a.json5", "b.json5", "c.json5"]
    do throws(ConfigurationProblems) {
        _ = try Configuration.read(zip(names, texts).map { ConfigurationText(file: $0, bytes: Array($1.utf8)) })
        return ""
    } catch {
        return error.description
    }
}

@Suite struct ConfigurationTests {
    static let examplePath =
        URL(filePath: #filePath).deletingLastPathComponent().path + "/../Corpus/configuration/example.json5"

    @Test func `an example of most there is is a configuration`() throws {
        let text = ConfigurationText(
            file: "example", bytes: [UInt8](try Data(contentsOf: URL(filePath: Self.examplePath))))
        let configuration = try Configuration.read([text])
        #expect(configuration.credentials.keys.sorted() == ["coder", "gateway-key", "minted", "runner", "vercel-oidc"])
        #expect(configuration.routes.map(\.prefix) == ["/internal/", "/vercel/", "/coder/"])
        let vercel = try #require(configuration.routes.first { $0.prefix == "/vercel/" })
        #expect(vercel.upstream.description == "https://ai-gateway.vercel.sh/")
        #expect(vercel.injections.map { $0.chain.map(\.credential) } == [["vercel-oidc", "gateway-key"]])
        #expect(vercel.fallback == [.unavailable, .rejected])
        #expect(vercel.allow == AllowSpec(groups: [.name("gateway-agent")]))
        #expect(
            configuration.credentials["vercel-oidc"]?.source
                == .exec(
                    ExecSpec(
                        command: ["/usr/bin/vercel", "project", "token", "prj_x", "--format=json"],
                        environment: ["VERCEL_TOKEN": .systemdCredential(name: "vercel-token")],
                        field: .json(token: "/token", expiry: nil))))
        #expect(configuration.listen.tcp.map(\.description) == ["127.0.0.1:4748", "[::1]:4748"])
    }

    @Test func `what is not said has its default`() throws {
        let configuration = try readConfiguration("{credentials: {a: {source: 'env', name: 'A'}}}")
        #expect(
            configuration.listen
                == ListenSpec(
                    unixPath: "/run/gateway-agent/agent.sock", tcp: [ListenAddress(ip: "127.0.0.1", port: 4748)]))
        #expect(configuration.allow == AllowSpec(groups: [.name("gateway-agent")]))
        #expect(configuration.limits == LimitSpec())
        #expect(configuration.timeouts == ServerTimeouts())
        #expect(configuration.threads == nil)
    }

    @Test func `a person's own agent serves that person alone`() throws {
        let configuration = try readConfiguration(
            "{credentials: {a: {source: 'env', name: 'A'}}}", scope: .user(runtimeFolder: "/run/user/7"))
        #expect(configuration.listen.unixPath == "/run/user/7/gateway-agent/agent.sock")
        #expect(configuration.listen.unixMode == 0o600)
        #expect(configuration.allow == AllowSpec())
    }

    @Test(arguments: [
        // link, credential, injection: the nearest word counts
        (
            "{credential: 'a', header: 'x-link'}", "header: 'x-own', ", "header: 'x-all', ",
            HeaderForm(field: "x-link", scheme: nil)
        ),
        ("'a'", "header: 'x-own', ", "header: 'x-all', ", HeaderForm(field: "x-own", scheme: nil)),
        ("'a'", "", "header: 'x-all', ", HeaderForm(field: "x-all", scheme: nil)),
        ("'a'", "", "", HeaderForm.bearer),
        ("{credential: 'a'}", "header: 'X-Api-Key', ", "", HeaderForm.apiKey),
        ("{credential: 'a', scheme: 'Token'}", "", "header: 'x-all', ", HeaderForm(field: "x-all", scheme: "Token")),
        ("{credential: 'a', scheme: ''}", "", "", HeaderForm(field: "authorization", scheme: nil)),
        ("'a'", "scheme: 'Basic', ", "", HeaderForm(field: "authorization", scheme: "Basic")),
    ])
    func `the form of a credential is taken from the nearest place`(
        link: String, own: String, injection: String, form: HeaderForm?
    ) throws {
        let configuration = try readConfiguration(
            """
            {credentials: {a: {\(own)source: 'env', name: 'A'}},
             routes: {'/r/': {upstream: 'https://h/', inject: [{\(injection)chain: [\(link)]}]}}}
            """)
        #expect(configuration.routes.first?.injections.first?.chain.first?.form == form)
    }

    @Test(arguments: [
        ("https://Gateway.Example", "https://gateway.example/"), ("https://h:8443/v1", "https://h:8443/v1/"),
        ("https://h:443/", "https://h/"), ("http://127.0.0.1:8080/a/b/", "http://127.0.0.1:8080/a/b/"),
        ("http://[::1]:80", "http://[::1]/"), ("http://localhost:9", "http://localhost:9/"),
        ("unix:/run/g.sock", "unix:/run/g.sock"), ("unix:/run/g.sock:/v1", "unix:/run/g.sock:/v1/"),
    ])
    func `an upstream is read, and its path ends in a slash`(text: String, upstream: String) throws {
        let configuration = try readConfiguration(
            "{credentials: {a: {source: 'env', name: 'A'}}, routes: {'/r/': {upstream: '\(text)', chain: ['a']}}}")
        #expect(configuration.routes.first?.upstream.description == upstream)
    }

    @Test func `the longest prefix comes first, and a route has its own words before those of all`() throws {
        let configuration = try readConfiguration(
            """
            {timeouts: {connect: '1s', idle: '2s', drain: '3s'}, limits: {replayBodyBytes: '2KiB'}, allow: {users: ['all']},
             credentials: {a: {source: 'env', name: 'A'}},
             routes: {
               '/': {upstream: 'https://h/', chain: ['a']},
               '/v1/deep/': {upstream: 'https://h/', chain: ['a'], timeouts: {connect: '9s'}, replayBodyBytes: 0, allow: {groups: [7]}},
               '/v1/': {upstream: 'https://h/', byok: true},
             }}
            """)
        #expect(configuration.routes.map(\.prefix) == ["/v1/deep/", "/v1/", "/"])
        #expect(configuration.timeouts.drain == .seconds(3))
        let (deep, root) = (configuration.routes[0], configuration.routes[2])
        #expect(deep.timeouts.connect == .seconds(9) && deep.timeouts.idle == .seconds(2))
        #expect(root.timeouts.connect == .seconds(1))
        #expect(deep.replayBodyBytes == 0 && root.replayBodyBytes == 2048)
        #expect(deep.allow == AllowSpec(groups: [.id(7)]) && root.allow == AllowSpec(users: [.name("all")]))
        #expect(configuration.routes[1].passesCallerCredential && configuration.routes[1].injections.isEmpty)
    }

    @Test func `a drop-in adds to routes and credentials, and overrides settings`() throws {
        let configuration = try readConfiguration(
            "{log: {level: 'info'}, limits: {connections: 5}, credentials: {a: {source: 'env', name: 'A'}}}",
            "{log: {level: 'debug'}, routes: {'/r/': {upstream: 'https://h/', chain: ['a', 'b']}}}",
            "{credentials: {b: {source: 'env', name: 'B'}}, routes: {'/r/': {allow: {users: ['ci']}}}}")
        #expect(configuration.log.level == .debug)
        #expect(configuration.limits.connections == 5)
        #expect(configuration.routes.first?.injections.first?.chain.map(\.credential) == ["a", "b"])
        #expect(configuration.routes.first?.allow == AllowSpec(users: [.name("ci")]))
    }

    @Test func `the order and the files in which it is written change nothing`() throws {
        let credentials = ["a: {source: 'env', name: 'A'}", "b: {name: 'B', source: 'env'}"]
        let routes = ["'/r/': {upstream: 'https://h/', chain: ['a']}", "'/s/': {chain: ['b'], upstream: 'https://h/'}"]
        let one = try readConfiguration(
            "{credentials: {\(credentials[0]), \(credentials[1])}, routes: {\(routes[0]), \(routes[1])}, allow: {users: ['x', 'y']}}"
        )
        let other = try readConfiguration(
            "{allow: {users: ['y', 'x']}, routes: {\(routes[1])}, credentials: {\(credentials[1])}}",
            "{routes: {\(routes[0])}, credentials: {\(credentials[0])}}")
        #expect(one == other)
        #expect(one.difference(from: other).isEmpty)
    }

    @Test func `a reload is told what changed`() throws {
        let old = try readConfiguration(
            """
            {listen: {tcp: '127.0.0.1:1'}, credentials: {a: {source: 'env', name: 'A'}, b: {source: 'env', name: 'B'}},
             routes: {'/r/': {upstream: 'https://h/', chain: ['a']}, '/s/': {upstream: 'https://h/', chain: ['a']}}}
            """)
        let new = try readConfiguration(
            """
            {listen: {tcp: '127.0.0.1:2'}, log: {level: 'debug'}, limits: {connections: 9, headBytes: '8KiB'},
             credentials: {a: {source: 'env', name: 'A2'}, c: {source: 'env', name: 'C'}},
             routes: {'/r/': {upstream: 'https://h2/', chain: ['a']}, '/t/': {upstream: 'https://h/', chain: ['a']}}}
            """)
        #expect(
            new.difference(from: old)
                == Configuration.Difference(
                    addedCredentials: ["c"], removedCredentials: ["b"], changedCredentials: ["a"], addedRoutes: ["/t/"],
                    removedRoutes: ["/s/"], changedRoutes: ["/r/"],
                    needingRestart: ["listen", "log", "limits.connections"],
                    settings: ["limits"]))
    }
}
