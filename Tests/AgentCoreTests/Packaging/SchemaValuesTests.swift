// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// Schema and program give the same verdict on the same value, at every place where a text or a number stands.
@Suite struct SchemaValuesTests {
    private static func schema() throws -> JSONSchema {
        let bytes = try ShippedFile("packaging/gateway-agent.schema.json").bytes
        return JSONSchema(root: try JSONValue.decode(bytes.span))
    }

    /// A place of the schema, and a configuration that is right if a right value stands for `%`.
    struct Place: Sendable, CustomTestStringConvertible {
        let pointer: String
        let text: String
        /// Nothing that the program takes is refused; but the program knows more than a schema can say: which names there
        /// are, what an address is, how long a duration may be.
        let isLoose: Bool

        init(_ pointer: String, _ text: String, isLoose: Bool = false) {
            (self.pointer, self.text, self.isLoose) = (pointer, text, isLoose)
        }
        var testDescription: String { pointer }
    }

    // MARK: Places

    /// - Parameter key: with a dot where it is one of a section.
    private static func top(_ key: String, isLoose: Bool = false) -> Place {
        let keys = key.split(separator: ".")
        var text = "%"
        var pointer = ""
        for key in keys {
            pointer += "/properties/\(key)"
        }
        for key in keys.reversed() {
            text = "\(key): \(text)"
            if key != keys[0] { text = "{ \(text) }" }
        }
        return Place(pointer, "{ credentials: {}, \(text) }", isLoose: isLoose)
    }

    private static let sources = [
        "source: 'file', path: '/x'", "source: 'env', name: 'A'", "source: 'systemd-credential', name: 'a'",
        "source: 'exec', command: ['x']", "source: 'http', url: 'https://h/'",
    ]

    /// - Parameter instead: `keys` stand for those that the source must have.
    private static func credential(
        _ source: Int, _ place: String, _ keys: String, isLoose: Bool = false, instead: Bool = false
    ) -> Place {
        var start = sources[source]
        if instead, let comma = start.firstIndex(of: ",") { start = String(start[..<comma]) }
        return Place(
            "/$defs/credential/oneOf/\(source)/properties/\(place)",
            "{ credentials: { c: { \(start), \(keys) } } }", isLoose: isLoose)
    }

    private static func route(_ place: String, _ keys: String, isLoose: Bool = false) -> Place {
        Place(
            "/$defs/\(place)",
            "{ credentials: { a: { source: 'env', name: 'A' } }, routes: { '/r/': { upstream: 'https://h/', \(keys) } } }",
            isLoose: isLoose)
    }

    private static let general = [
        top("$schema"), top("listen.unix"), top("listen.tcp", isLoose: true),
        top("listen.unsafeListen", isLoose: true),
        Place(
            "/properties/listen/properties/unixMode", "{ credentials: {}, listen: { unix: '/s', unixMode: % } }"),
        top("threads"), top("idleExit", isLoose: true), top("limits.headBytes"), top("limits.contentBytes"),
        top("limits.connections"), top("limits.idleUpstreamConnections"), top("limits.replayBodyBytes"),
        Place("/properties/credentials/propertyNames", "{ credentials: { %: { source: 'env', name: 'A' } } }"),
        Place(
            "/properties/routes/propertyNames",
            "{ credentials: { a: { source: 'env', name: 'A' } }, routes: { %: { upstream: 'https://h/', chain: ['a'] } } }"
        ),
        Place("/$defs/allow/properties/users/items", "{ credentials: {}, allow: { users: [%] } }"),
        Place("/$defs/allow/properties/groups/items", "{ credentials: {}, allow: { groups: [%] } }"),
    ]

    private static let ofOneSource = [
        credential(0, "path", "path: %", instead: true), credential(1, "name", "name: %", instead: true),
        credential(2, "name", "name: %", instead: true),
        credential(3, "command/items", "command: ['x', %]", instead: true),
        credential(3, "environment/propertyNames", "environment: { %: 'x' }"),
        credential(3, "environment/additionalProperties", "environment: { A: % }", isLoose: true),
        credential(3, "timeout", "timeout: %", isLoose: true), credential(3, "outputBytes", "outputBytes: %"),
        credential(4, "url", "url: %", isLoose: true, instead: true),
        credential(4, "unix", "unix: %", instead: true),
        credential(4, "target", "unix: '/s', target: %", instead: true),
        credential(4, "headers/propertyNames", "headers: { %: '${env:A}' }"),
        credential(4, "headers/additionalProperties", "headers: { a: % }", isLoose: true),
        credential(4, "body", "method: 'POST', body: %", isLoose: true),
        credential(4, "timeout", "timeout: %", isLoose: true), credential(4, "answerBytes", "answerBytes: %"),
        credential(4, "refresh/properties/field", "field: '/t', refresh: { field: % }"),
        credential(4, "refresh/properties/body", "field: '/t', refresh: { body: % }", isLoose: true),
        credential(4, "refresh/properties/url", "field: '/t', refresh: { url: % }", isLoose: true),
        credential(
            4, "refresh/properties/headers/propertyNames", "field: '/t', refresh: { headers: { %: '${env:A}' } }"),
        credential(
            4, "refresh/properties/headers/additionalProperties", "field: '/t', refresh: { headers: { a: % } }",
            isLoose: true),
        route("chain/items/anyOf/0", "chain: [%]", isLoose: true),
        route("chain/items/anyOf/1/properties/credential", "chain: [{ credential: % }]", isLoose: true),
        route("chain/items/anyOf/1/properties/header", "chain: [{ credential: 'a', header: % }]"),
        route("chain/items/anyOf/1/properties/scheme", "chain: [{ credential: 'a', scheme: % }]"),
        route("route/properties/inject/items/properties/header", "inject: [{ chain: ['a'], header: % }]"),
        route("route/properties/inject/items/properties/scheme", "inject: [{ chain: ['a'], scheme: % }]"),
        Place(
            "/$defs/route/properties/upstream", "{ routes: { '/r/': { upstream: %, byok: true } } }", isLoose: true),
        route("route/properties/replayBodyBytes", "chain: ['a'], replayBodyBytes: %"),
        route("route/properties/tls/properties/ca", "chain: ['a'], tls: { ca: % }"),
        route("route/properties/tls/properties/certificate", "chain: ['a'], tls: { certificate: %, key: '/k' }"),
        route("route/properties/tls/properties/key", "chain: ['a'], tls: { certificate: '/c', key: % }"),
        route("route/properties/strip/items", "chain: ['a'], strip: [%]"),
    ]

    static var places: [Place] {
        var places = general + ofOneSource
        for key in ["connect", "header", "idle", "credentialWait"] {
            places.append(
                route(
                    "route/properties/timeouts/properties/\(key)", "chain: ['a'], timeouts: { \(key): % }",
                    isLoose: true))
            places.append(top("timeouts.\(key)", isLoose: true))
        }
        for key in ["requestHead", "keepAlive", "upstreamKeepAlive", "drain"] {
            places.append(top("timeouts.\(key)", isLoose: true))
        }
        for source in sources.indices {
            for key in ["header", "scheme", "field", "dotenv"] {
                places.append(credential(source, key, "\(key): %"))
            }
            places.append(credential(source, "expiryField", "field: '/t', expiryField: %"))
            places.append(credential(source, "maxAge", "maxAge: %", isLoose: true))
        }
        return places
    }

    // MARK: Values

    private static let shortTexts = [
        "", "x", "X", "x y", " x", "x ", "x/y", "/x", "/x/", "/", "//", "/x//y/", "//x/", "/../", "/./", "/x/../",
        "/x/..", "/.../", "/..x/", "/-/", "/-/x/", "/-x/", "/x/-/", "x:", "x=y", "x.y", ".x", "..", "-x", "_x",
        "9x",
        "x9_Y", "x-y", "é", "/é/", "éx", "x\r\n", "x\n", "/x\n", "/x\ny", "\n", "\u{1}", "\"",
        "'", "\\", "/\\/", "{}", "/{/", "host", "Host", "Via", "via2", "Content-Length", "sec-websocket-key",
        "Sec-WebSocket-Accept", "sec-websocket", "authorization", "X-Api-Key", "x_api", "~", "/~", "/~2", "/~1/~0",
        "a~0", "0600", "600", "+77", "-77", "7", "888", "1777", "00600", "client", "Client", "$", "$$", "${",
        "${env:A}",
        "#", "/x#", "/x?y=z", "/x y", "/x\u{7F}", "\u{7F}", "1s", "0s", "400d", "1 KiB", "+1", "64", "5e3", "1KiB",
        "https://h/", "127.0.0.1:1", "unix:/s",
    ]

    static var texts: [String] {
        var texts = shortTexts
        for scalar in ["\u{0}", "\u{7F}"] as [Unicode.Scalar] { texts += ["\(scalar)", "x\(scalar)", "/x\(scalar)"] }
        for length in [63, 64, 65, 255, 256, 257] { texts.append(String(repeating: "x", count: length)) }
        for length in [107, 108] { texts.append("/" + String(repeating: "x", count: length - 1)) }
        return texts
    }

    /// Of no two rules the same are right.
    private static let tellingTexts = [
        "", "x", "x y", "/x", "x/y", ".x", "9x", "x-y", "x:", "é", "x\n", "host", "Sec-WebSocket-Key", "~", "/~2",
        "+77", "1s",
        "64", String(repeating: "x", count: 65), String(repeating: "x", count: 256),
        "/" + String(repeating: "x", count: 107),
    ]

    /// The longest path, and one that is longer: for places where paths stand, since patterns take their time.
    private static let longTexts = [4095, 4096].map { "/" + String(repeating: "x", count: $0 - 1) }

    static let numbers: [String] = [
        "-1", "0", "1", "2", "63", "64", "256", "257", "4095", "4096", "10000", "10001", "1000000", "1000001",
        "1048576",
        "1048577", "16777216", "16777217", "67108864", "67108865", "1099511627776", "1099511627777", "4294967294",
        "4294967295", "9223372036854775807", "1.5", "true", "null", "[]", "{}",
    ]

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" {
                quoted += "\\\(scalar)"
            } else if scalar.value < 0x20 || scalar.value == 0x7F {
                quoted += "\\u00\(scalar.value < 16 ? "0" : "")\(String(scalar.value, radix: 16))"
            } else {
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Whether both give the same verdict on a configuration.
    ///
    /// - Parameter isLoose: the schema may take more.
    private static func agree(on text: String, _ schema: JSONSchema, isLoose: Bool) throws -> Bool {
        // What is no JSON5 is refused by everybody.
        guard let document = try? JSONValue.decode(Array(text.utf8).span, json5: true) else { return true }
        let isTaken = try schema.problems(of: document).isEmpty
        if isTaken, isLoose { return true }
        return isTaken == configurationProblems(text).isEmpty
    }

    @Test(arguments: places)
    func `schema and program give the same verdict on a value`(place: Place) throws {
        let schema = try Self.schema()
        let takesNumbers = !place.pointer.hasSuffix("/propertyNames") && place.pointer != "/properties/$schema"
        func rule(of place: Place) throws -> String {
            schema.root[try JSONPointer(place.pointer)]?["$ref"]?.stringValue ?? ""
        }
        let reference = try rule(of: place)
        // The bounds of sizes in words are beyond a pattern.
        let isSize = reference == "#/$defs/size"
        var texts = Self.texts + (reference.hasSuffix("Path") ? Self.longTexts : [])
        // What points to the same rule as a place before shows by a few that it is that rule.
        if !reference.isEmpty,
            try Self.places.first(where: { try rule(of: $0) == reference })?.pointer != place.pointer
        {
            texts = Self.tellingTexts
        }
        let disputed =
            try texts.map(Self.quoted).filter {
                try !Self.agree(on: place.text.replacing("%", with: $0), schema, isLoose: place.isLoose || isSize)
            }
            + (takesNumbers ? Self.numbers : []).filter {
                try !Self.agree(on: place.text.replacing("%", with: $0), schema, isLoose: place.isLoose)
            }
        #expect(disputed == [])
    }

    /// Said of one value, wherever it stands: what is compared are the places that point to them.
    private static let words: Set<String> = [
        "duration", "size", "addresses", "account", "credentialName", "absolutePath", "socketPath", "variable",
        "systemdName", "pointer", "scheme", "strippedField", "writtenField",
    ]

    private static func isValue(_ schema: JSONValue, at tokens: [String]) -> Bool {
        if let type = schema["type"]?.stringValue, type == "string" || type == "integer" { return true }
        if let reference = schema["$ref"]?.stringValue, words.contains(String(reference.dropFirst(8))) { return true }
        return tokens.last == "propertyNames"
    }

    /// Where values stand, at `tokens` and below.
    private static func values(in schema: JSONValue, at tokens: [String]) -> [String] {
        if tokens.count == 2, tokens[0] == "$defs", words.contains(tokens[1]) { return [] }
        if isValue(schema, at: tokens) { return [JSONPointer(tokens: tokens).description] }
        var found: [String] = []
        for (key, member) in schema.objectValue ?? [:] { found += values(in: member, at: tokens + [key]) }
        for (index, element) in (schema.arrayValue ?? []).enumerated() {
            found += values(in: element, at: tokens + ["\(index)"])
        }
        return found
    }

    @Test func `no text and no number of the schema is left out of the comparison`() throws {
        let found = Set(Self.values(in: try Self.schema().root, at: []))
        #expect(found == Set(Self.places.map(\.pointer)))
    }
}
