// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// The schema that editors are given says what the program says: no key more, none less, and never a false alarm.
@Suite struct SchemaTests {
    private static func schema() throws -> JSONSchema {
        let bytes = try ShippedFile("packaging/gateway-agent.schema.json").bytes
        return JSONSchema(root: try JSONValue.decode(bytes.span))
    }

    private static func document(_ text: String) throws -> JSONValue {
        try JSONValue.decode(Array(text.utf8).span, json5: true)
    }

    // MARK: Whole documents

    @Test(arguments: [
        "packaging/agent.json5", "Tests/AgentCoreTests/Corpus/configuration/example.json5",
        "packaging/examples/vercel.json5",
        "packaging/examples/coder.json5", "packaging/examples/anthropic.json5", "packaging/examples/openai.json5",
    ])
    func `a shipped configuration fits the schema and the program`(path: String) throws {
        let text = try ShippedFile(path).text
        #expect(try Self.schema().problems(of: Self.document(text)) == [])
        #expect(configurationProblems(text) == "")
    }

    @Test(arguments: ["README.md", "docs/configuration.md"])
    func `each configuration in the documents fits the schema`(path: String) throws {
        let blocks = try ShippedFile(path).text.split(separator: "```json5\n").dropFirst()
            .compactMap { $0.split(separator: "\n```").first }
        #expect(!blocks.isEmpty)
        for block in blocks { #expect(try Self.schema().problems(of: Self.document(String(block))) == []) }
    }

    private static func credential(_ keys: String) -> String { "{ credentials: { c: { \(keys) } } }" }
    private static func route(_ keys: String, prefix: String = "/r/") -> String {
        "{ credentials: { a: { source: 'env', name: 'A' } }, routes: { '\(prefix)': { upstream: 'https://h/', \(keys) } } }"
    }
    private static func setting(_ keys: String) -> String { "{ credentials: {}, \(keys) }" }

    /// Each wrong in one place, which a schema can see.
    static let wrong: [String] = [
        "[]", setting("routse: {}"), setting("threads: 0"), setting("threads: 257"), setting("threads: '2'"),
        setting("listen: '127.0.0.1:1'"), setting("listen: { port: 1 }"), setting("listen: { unixMode: 660 }"),
        setting("listen: { unixMode: '888' }"), setting("log: { level: 'inof' }"), setting("log: { format: 'xml' }"),
        setting("idleExit: 30"), setting("idleExit: '30 s'"), setting("idleExit: '5s1m'"), setting("idleExit: ''"),
        setting("limits: { connections: 0 }"), setting("limits: { connections: 1000001 }"),
        setting("limits: { idleUpstreamConnections: 10001 }"), setting("limits: { headBytes: '1 Kib' }"),
        setting("limits: { contentBytes: -1 }"), setting("timeouts: { connect: true }"),
        setting("timeouts: { idel: '1s' }"), setting("allow: ['ci']"), setting("allow: { users: [''] }"),
        setting("allow: { users: [-1] }"), setting("allow: { groups: [4294967295] }"),
        credential("source: 'fiel', path: '/x'"), credential("path: '/x'"), credential("source: 'file'"),
        credential("source: 'file', path: 'x'"), credential("source: 'file', name: 'x'"),
        credential("source: 'file', path: '/x', cache: 'state'"), credential("source: 'env', path: '/x'"),
        credential("source: 'exec', command: []"), credential("source: 'exec', command: 'x'"),
        credential("source: 'exec', command: ['x'], environment: { A: 1 }"),
        credential("source: 'exec', command: ['x'], cache: 'disk'"),
        credential("source: 'http'"), credential("source: 'http', url: 'https://h/', unix: '/s'"),
        credential("source: 'http', url: 'https://h/', target: '/t'"),
        credential("source: 'http', url: 'https://h/', method: 'DELETE'"),
        credential("source: 'http', url: 'https://h/', refresh: {}"),
        credential("source: 'http', url: 'https://h/', field: '/t', refresh: true"),
        credential("source: 'file', path: '/x', expiryField: '/e'"),
        credential("source: 'file', path: '/x', kind: 'secret'"),
        credential("source: 'file', path: '/x', prefetch: 1"), credential("source: 'file', path: '/x', maxAge: 5"),
        "{ credentials: { client: { source: 'env', name: 'A' } } }",
        "{ credentials: { 'x y': { source: 'env', name: 'A' } } }",
        "{ routes: { '/r/': { byok: true } } }", route("chain: ['a']", prefix: "r"), route("chain: []"),
        route("chain: 'a'"), route("chain: [{ header: 'x' }]"), route("chain: ['a'], gateway: 'codr'"),
        route("chain: ['a'], fallback: ['never']"), route("chain: ['a'], strip: 'x'"),
        route("chain: ['a'], tls: { verify: false }"), route("chain: ['a'], tls: { key: '/k' }"),
        route("chain: ['a'], timeouts: { drain: '1s' }"), route("inject: [{ header: 'x' }]"),
        route("chain: ['a'], byok: 'yes'"), route("chain: ['a'], allow: { user: [] }"),
    ]

    /// Keys that exclude one another, and a mode that no socket has.
    static let wrongTogether: [String] = [
        credential("source: 'file', path: '/x', field: '/t', dotenv: 'A'"), setting("listen: { unixMode: '1777' }"),
        setting("listen: { unixMode: '60' }"), route("chain: ['a'], inject: [{ chain: ['a'] }]"),
        route("showCredential: true"), route("byok: false"),
    ]

    @Test(arguments: wrong + wrongTogether)
    func `what the schema refuses the program refuses`(text: String) throws {
        #expect(try Self.schema().problems(of: Self.document(text)) != [])
        #expect(configurationProblems(text) != "")
    }

    /// Every configuration that tests hold against the program, right and wrong: an editor must not mark what is right.
    @Test(
        arguments: ConfigurationProblemTests.settings + ConfigurationProblemTests.credentials
            + ConfigurationProblemTests.routes)
    func `what the program takes the schema takes`(example: ProblemCase) throws {
        guard example.problems.isEmpty else { return }
        #expect(try Self.schema().problems(of: Self.document(example.text)) == [])
    }

    @Test(arguments: [
        setting("threads: 256, idleExit: '1h30m', limits: { headBytes: '64 KiB', contentBytes: 5 }"),
        setting("limits: { connections: 1000000, idleUpstreamConnections: 0, replayBodyBytes: '0B' }"),
        setting("limits: { headBytes: '10kB', contentBytes: '1GB' }"),
        setting("allow: { users: ['ci', '7', 0, 4294967294], groups: [] }, log: {}"),
        setting("listen: { tcp: [], unix: '/s', unixMode: '0600', unsafeListen: '0.0.0.0:1' }"),
        setting("listen: { tcp: '[::1]:1' }, timeouts: { drain: '0s', connect: '1d', idle: '1s5ms' }"),
        credential("source: 'http', unix: '/s', target: '/t', method: 'PATCH', cache: 'none', headers: { a: '$$' }"),
        credential("source: 'http', url: 'https://h/', field: '/t', refresh: { field: '/r', headers: {} }"),
        credential("source: 'exec', command: ['x'], cache: 'state', environment: { A: '${env:B}' }, outputBytes: 64"),
        credential("source: 'file', path: '/x', field: '', expiryField: '/e', scheme: '', header: 'x', maxAge: '1s'"),
        route("inject: [{ chain: [{ credential: 'a', header: 'x', scheme: '' }], header: 'y' }], fallback: []"),
        route("byok: true, allow: {}, tls: { ca: '/c' }, replayBodyBytes: 0", prefix: "/"),
    ])
    func `the bounds of what is right are right to both`(text: String) throws {
        #expect(try Self.schema().problems(of: Self.document(text)) == [])
        #expect(configurationProblems(text) == "")
    }

    // MARK: Keys and words

    /// An object of the schema, and documents in which a misspelt key makes the program name every key it knows there.
    /// More than one where keys exclude one another.
    struct Place: Sendable, CustomTestStringConvertible {
        let pointer: String
        let texts: [String]

        init(_ pointer: String, _ texts: String...) { (self.pointer, self.texts) = (pointer, texts) }
        var testDescription: String { pointer }
    }

    private static let misspelt = "qqqqqqqqqqqqqqqqqqqqqqqq"

    static let places: [Place] = [
        Place("", setting("\(misspelt): 0")),
        Place("/properties/listen", setting("listen: { tcp: [], \(misspelt): 0 }")),
        Place("/properties/log", setting("log: { \(misspelt): 0 }")),
        Place("/properties/limits", setting("limits: { \(misspelt): 0 }")),
        Place("/properties/timeouts", setting("timeouts: { \(misspelt): 0 }")),
        Place("/$defs/allow", setting("allow: { \(misspelt): 0 }")),
        Place("/$defs/credential/oneOf/0", credential("source: 'file', path: '/x', \(misspelt): 0")),
        Place("/$defs/credential/oneOf/1", credential("source: 'env', name: 'A', \(misspelt): 0")),
        Place("/$defs/credential/oneOf/2", credential("source: 'systemd-credential', name: 'a', \(misspelt): 0")),
        Place("/$defs/credential/oneOf/3", credential("source: 'exec', command: ['x'], cache: 'none', \(misspelt): 0")),
        Place(
            "/$defs/credential/oneOf/4", credential("source: 'http', url: 'https://h/', cache: 'none', \(misspelt): 0"),
            credential("source: 'http', unix: '/s', \(misspelt): 0")),
        Place(
            "/$defs/credential/oneOf/4/properties/refresh",
            credential("source: 'http', url: 'https://h/', field: '/t', refresh: { \(misspelt): 0 }")),
        Place("/$defs/chain/items/anyOf/1", route("chain: [{ credential: 'a', \(misspelt): 0 }]")),
        Place("/$defs/route", route("chain: ['a'], \(misspelt): 0"), route("inject: [], \(misspelt): 0")),
        Place("/$defs/route/properties/inject/items", route("inject: [{ chain: ['a'], \(misspelt): 0 }]")),
        Place("/$defs/route/properties/timeouts", route("chain: ['a'], timeouts: { \(misspelt): 0 }")),
        Place("/$defs/route/properties/tls", route("chain: ['a'], tls: { \(misspelt): 0 }")),
    ]

    @Test(arguments: places)
    func `schema and program know the same keys`(place: Place) throws {
        var known: Set<String> = []
        for text in place.texts {
            let line = configurationProblems(text).split(separator: "\n").first { $0.contains(Self.misspelt) }
            let list = try #require(line?.split(separator: "known here: ").dropFirst().first)
            known.formUnion(list.split(separator: ", ").map(String.init))
        }
        let object = try #require(Self.schema().root[try JSONPointer(place.pointer)])
        #expect(Set(object["properties"]?.objectValue?.keys.map { $0 } ?? []) == known)
    }

    @Test func `no closed object of the schema is left out of the comparison`() throws {
        var found: Set<String> = []
        func walk(_ value: JSONValue, _ tokens: [String]) {
            if value["additionalProperties"] == .bool(false) { found.insert(JSONPointer(tokens: tokens).description) }
            for (key, member) in value.objectValue ?? [:] { walk(member, tokens + [key]) }
            for (index, element) in (value.arrayValue ?? []).enumerated() { walk(element, tokens + ["\(index)"]) }
        }
        walk(try Self.schema().root, [])
        #expect(found == Set(Self.places.map(\.pointer)))
    }

    @Test(arguments: [
        ("/properties/log/properties/level", LogLevel.allCases.map(\.rawValue)),
        ("/properties/log/properties/format", LogFormat.allCases.map(\.rawValue)),
        ("/$defs/credential/oneOf/3/properties/cache", CacheWord.allCases.map(\.rawValue)),
        ("/$defs/credential/oneOf/4/properties/cache", CacheWord.allCases.map(\.rawValue)),
        ("/$defs/credential/oneOf/0/properties/kind", CredentialKindWord.allCases.map(\.rawValue)),
        ("/$defs/route/properties/gateway", GatewayKind.allCases.map(\.rawValue)),
        ("/$defs/route/properties/fallback/items", FallbackReason.allCases.map(\.rawValue)),
    ])
    func `schema and program know the same words`(pointer: String, words: [String]) throws {
        let found = try #require(Self.schema().root[try JSONPointer(pointer)]?["enum"]?.arrayValue)
        #expect(Set(found.compactMap(\.stringValue)) == Set(words))
    }

    @Test func `schema and program know the same sources`() throws {
        let sources = try #require(Self.schema().root[try JSONPointer("/$defs/credential/oneOf")]?.arrayValue)
        let words = sources.compactMap { $0["properties"]?["source"]?["const"]?.stringValue }
        #expect(Set(words) == Set(SourceKind.allCases.map(\.rawValue)))
    }
}
