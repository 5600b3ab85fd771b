// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// A text, and everything that is said about it; texts are in one line unless the place matters.
struct ProblemCase: Sendable, CustomTestStringConvertible {
    let text: String
    let problems: [String]

    init(_ text: String, _ problems: String...) {
        self.text = text
        self.problems = problems
    }

    /// A route in a configuration that is otherwise right.
    static func route(_ keys: String, prefix: String = "/r/", _ problems: String...) -> ProblemCase {
        ProblemCase(text: "{\(credentials), routes: {\n'\(prefix)': {\(keys)}}}", problems: problems)
    }

    /// A credential, alone.
    static func credential(_ keys: String, _ problems: String...) -> ProblemCase {
        ProblemCase(text: "{credentials: {\nc: {\(keys)}}}", problems: problems)
    }

    /// A setting at the top.
    static func setting(_ keys: String, _ problems: String...) -> ProblemCase {
        ProblemCase(text: "{\(credentials),\n\(keys)}", problems: problems)
    }

    private init(text: String, problems: [String]) {
        self.text = text
        self.problems = problems
    }

    private static let credentials =
        "credentials: {a: {source: 'env', name: 'A'}, 'vercel-oidc': {source: 'env', name: 'B'}}"

    var testDescription: String { text }
}

@Suite struct ConfigurationProblemTests {
    static let key = "sk-ant-0123456789abcdef"

    static let syntax: [ProblemCase] = [
        ProblemCase("", "1:1: the file is empty; write at least { credentials: {} }"),
        ProblemCase("{}", "1:1: has neither credentials nor routes; write at least one credential"),
        ProblemCase("[]", "1:1: the file holds a list; write an object: { … }"),
        ProblemCase("{", "1:1: the object that begins here is not closed; add }"),
        ProblemCase("{a: [1,", "1:5: the list that begins here is not closed; add ]"),
        ProblemCase("{a: [1,2}", "1:9: a list is closed by } here; write ]"),
        ProblemCase("{a: 1]", "1:6: an object is closed by ] here; write }"),
        ProblemCase("{\n  log: {level: 'info'}\n  threads: 2}", "3:3: a comma is missing before this"),
        ProblemCase("{a: 1,, b: 2}", "1:7: a key is missing here"),
        ProblemCase("{a = 1}", "1:4: a colon is missing after the key \"a\""),
        ProblemCase("{a: }", "1:5: a value is missing here"),
        ProblemCase("{vercel-oidc: 1}", "1:2: the key vercel-oidc needs quotes: \"vercel-oidc\""),
        ProblemCase("{a: sk-abcdefghijkl}", "1:5: text stands here without quotes; add them"),
        ProblemCase("{a: 0660}", "1:5: 0660 is no number of JSON5; write it in quotes: \"0660\""),
        ProblemCase("{a: 10m, b: 1}", "1:5: 10m is no number of JSON5; write it in quotes: \"10m\""),
        ProblemCase("{a: 123456789abcdefghi}", "1:5: this is no number; write text in quotes"),
        ProblemCase("{a: 'x", "1:5: the string that begins here is not closed"),
        ProblemCase("{a: 'x\ny'}", "1:5: the string that begins here is not closed on its line"),
        ProblemCase(
            "{a: 'x\\\ny'}", "1:7: a string is continued on the next line; write it on one line, a line break as \\n"),
        ProblemCase("{a: 'é\\q'}", "1:7: this escape is not known; write a backslash as \\\\"),
        ProblemCase("{a: '\\ud800'}", "1:6: half a surrogate pair stands here"),
        ProblemCase("{a: '\u{1}'}", "1:6: a control character stands in a string; write it as \\u0001"),
        ProblemCase("# x\n{}", "1:1: \"#\" begins no comment in JSON5; write //"),
        ProblemCase("/* x\n{}", "1:1: the comment that begins here is not closed; add */"),
        ProblemCase("{} /", "1:4: a single \"/\" begins no comment; write //"),
        ProblemCase("{\u{A0}}", "1:2: a no-break space stands here; write a plain space"),
        ProblemCase("{a: 1} b", "1:8: something stands behind the end of the document; delete it"),
        ProblemCase(String(repeating: "[", count: 40), "1:33: nested deeper than 32 levels"),
    ]

    @Test(arguments: syntax)
    func `a text that is no JSON5 is told at its place`(problem: ProblemCase) {
        expect(problem)
    }

    static let settings: [ProblemCase] = [
        ProblemCase(
            "{log: {}, credentials: {a: {source: 'env', name: 'A', name: 'B'}},\nlog: {}}",
            "1:55: credentials.a.name is written twice, first in line 1; delete one",
            "2:1: log is written twice, first in line 1; delete one"),
        .setting("routse: {}", "2:1: routse is no known key; did you mean \"routes\"?"),
        .setting(
            "whatever: {}",
            "2:1: whatever is no known key; known here: $schema, allow, credentials, idleExit, limits, listen, log, routes, threads, timeouts"
        ),
        .setting("log: {level: 'inof'}", "2:14: log.level is \"inof\"; did you mean \"info\"?"),
        .setting("log: {format: 'xml'}", "2:15: log.format is \"xml\"; write one of \"auto\", \"plain\", \"json\""),
        .setting("threads: 0", "2:10: threads is 0; write a number from 1 to 256"),
        .setting("listen: 'x'", "2:9: listen is a string; write an object: { … }"),
        .setting("listen: {}", "2:9: listen names no address; write unix: \"/run/…\" or tcp: \"127.0.0.1:4748\""),
        .setting(
            "listen: {unix: 'x.sock', unixMode: 660}",
            "2:16: listen.unix is \"x.sock\"; write an absolute path, such as \"/run/gateway-agent/agent.sock\"",
            "2:36: listen.unixMode is 660; write the mode in octal digits and quotes, such as \"0660\""),
        .setting(
            "listen: {unix: '/\(String(repeating: "x", count: 120))'}",
            "2:16: listen.unix is 121 bytes long; write a path of at most 107 bytes, the limit of the kernel for sockets"
        ),
        .setting(
            "listen: {tcp: ['0.0.0.0:4748', 'localhost:4748', '127.0.0.1', '::1:4', '127.0.0.1:99999', '[127.0.0.1]:1']}",
            "2:16: listen.tcp[0] is \"0.0.0.0:4748\"; write \"127.0.0.1:4748\"; other hosts could call an address listed in unsafeListen",
            "2:32: listen.tcp[1] is \"localhost:4748\"; write \"127.0.0.1:4748\" or \"[::1]:4748\": a name may mean either",
            "2:50: listen.tcp[2] is \"127.0.0.1\"; write an address and a port, such as \"127.0.0.1:4748\" or \"[::1]:4748\"",
            "2:63: listen.tcp[3] is \"::1:4\"; write an address and a port, such as \"127.0.0.1:4748\" or \"[::1]:4748\"",
            "2:72: listen.tcp[4] is \"127.0.0.1:99999\"; end it with a port from 0 to 65535, such as \":4748\"",
            "2:91: listen.tcp[5] is \"[127.0.0.1]:1\"; write an address and a port, such as \"127.0.0.1:4748\" or \"[::1]:4748\""
        ),
        .setting("listen: {unsafeListen: ['0.0.0.0:4748', '[::]:0']}"),
        .setting(
            "timeouts: {connect: 30, idle: '5 minutes', header: '0s', drain: '400d', idel: '1s'}",
            "2:21: timeouts.connect is 30; write a duration such as \"30s\", \"5m\" or \"1h30m\"",
            "2:31: timeouts.idle is \"5 minutes\"; write a duration such as \"30s\", \"5m\" or \"1h30m\"",
            "2:52: timeouts.header is \"0s\"; write a duration from 1ms to 1d",
            "2:65: timeouts.drain is \"400d\"; write a duration from 0s to 1d",
            "2:73: timeouts.idel is no known key; did you mean \"idle\"?"),
        .setting(
            "limits: {headBytes: '1GB', connections: 1.5, replayBodyBytes: true}",
            "2:21: limits.headBytes is \"1GB\"; write a size from 4KiB to 1MiB",
            "2:41: limits.connections is 1.5; write a number from 1 to 1000000",
            "2:63: limits.replayBodyBytes is true; write a size such as \"64KiB\" or \"10MB\""),
        .setting(
            "allow: {users: ['a:b', -1, 4294967295, ''], groups: 'x'}",
            "2:17: allow.users[0] is \"a:b\"; write a name such as \"ci\", or a number such as 1000",
            "2:24: allow.users[1] is -1; write a name such as \"ci\", or a number such as 1000",
            "2:28: allow.users[2] is 4294967295; write a name such as \"ci\", or a number such as 1000",
            "2:40: allow.users[3] is \"\"; write a name such as \"ci\", or a number such as 1000",
            "2:53: allow.groups is a string; write a list: [ … ]"),
    ]

    @Test(arguments: settings)
    func `a wrong setting is told with its value and the repair`(problem: ProblemCase) {
        expect(problem)
    }

    static let credentials: [ProblemCase] = [
        ProblemCase(
            "{credentials: {client: {source: 'env', name: 'A'},\n'x y': {source: 'env', name: 'A'}}}",
            "1:16: credentials.client is a reserved name; call the credential otherwise",
            "2:1: credentials[\"x y\"] is no name for a credential; use up to 64 letters, digits, \"-\", \"_\" and \".\", a letter or digit first"
        ),
        .credential("source: 'fiel', path: '/x'", "2:13: credentials.c.source is \"fiel\"; did you mean \"file\"?"),
        .credential(
            "path: '/x'",
            "2:4: credentials.c has no \"source\"; write source: \"file\", \"env\", \"exec\", \"http\" or \"systemd-credential\""
        ),
        .credential(
            "source: 'env', nam: 'A'",
            "2:4: credentials.c has no \"name\"; write the variable's name, such as name: \"API_KEY\"",
            "2:20: credentials.c.nam is no known key; did you mean \"name\"?"),
        .credential(
            "source: 'env', name: '\(key)'",
            "2:26: credentials.c.name does not fit; write a name of letters, digits and \"_\""),
        .credential(
            "source: 'file', path: '/k', value: '\(key)'",
            "2:33: credentials.c.value would hold a secret in the configuration; put it in a file of mode 0600 and write source: \"file\", path: …; or use \"systemd-credential\""
        ),
        .credential(
            "source: 'exec', command: []",
            "2:30: credentials.c.command is empty; write the program and its arguments: [\"…\"]"),
        .credential("source: 'exec', command: 'x'", "2:30: credentials.c.command is a string; write a list: [ … ]"),
        .credential(
            "source: 'exec', command: ['curl', '-H', 'Authorization: Bearer \(key)'], environment: {X: '\(key)', Y: 'a${env:B}'}",
            "2:45: credentials.c.command[2] has the look of a secret; keep it out of the configuration: in a file of mode 0600, a variable or a systemd credential",
            "2:112: credentials.c.environment.X has the look of a secret; keep it out of the configuration: in a file of mode 0600, a variable or a systemd credential",
            "2:142: credentials.c.environment.Y mixes text and references; write either text or one reference such as \"${file:/…}\""
        ),
        .credential(
            "source: 'file', path: '/x', field: 'token', expiryField: '/x~'",
            "2:40: credentials.c.field is \"token\"; write \"/token\"",
            "2:62: credentials.c.expiryField is \"/x~\"; write \"~\" as \"~0\" and \"/\" in a key as \"~1\""),
        .credential(
            "source: 'file', path: '/x', expiryField: '/e'",
            "2:46: credentials.c.expiryField stands without field; write field: \"/…\" too: where in the JSON the token is"
        ),
        .credential(
            "source: 'file', path: '/x', field: '/t', dotenv: 'T'",
            "2:54: credentials.c.dotenv cannot stand beside field; keep field for JSON, or dotenv for KEY=value lines"),
        .credential(
            "source: 'systemd-credential', name: '../x'",
            "2:41: credentials.c.name does not fit; write the name given to LoadCredential=, without a slash"),
        .credential(
            "source: 'http', url: 'http://h/t'",
            "2:26: credentials.c.url is \"http://h/t\"; write https://: over http:// the token could be read on its way"
        ),
        .credential("source: 'http', url: 'http://169.254.169.254/t'"),
        .credential(
            "source: 'http', url: 'https://u:hunter2@h/t'",
            "2:26: credentials.c.url holds a user or a password before \"@\"; delete it: a secret has no place in an address"
        ),
        .credential(
            "source: 'http', url: 'https://h/', headers: {authorization: 'Bearer hunter2', 'content-length': '5', x: 'é'}",
            "2:65: credentials.c.headers.authorization would hold a secret in the configuration; write where it is: \"${file:/…}\", \"${env:NAME}\" or \"${systemd-credential:NAME}\"",
            "2:83: credentials.c.headers[\"content-length\"] is no name for a header field; choose another: this field frames the message or belongs to the connection",
            "2:109: credentials.c.headers.x holds a control character or a letter beyond ASCII; delete it"),
        .credential(
            "source: 'http', url: 'https://h/', headers: {'x-api-key': '\(key)'}",
            "2:63: credentials.c.headers[\"x-api-key\"] has the look of a secret; keep it out of the configuration: in a file of mode 0600, a variable or a systemd credential"
        ),
        .credential(
            "source: 'http', unix: '/s', url: 'https://h/', method: 'get', body: '${flie:/x}'",
            "2:33: credentials.c.url cannot stand beside unix; write the path of the request as target: \"/…\"",
            "2:60: credentials.c.method is \"get\"; write one of \"GET\", \"POST\", \"PUT\", \"PATCH\"",
            "2:73: credentials.c.body has a reference of an unknown kind; write \"${file:/…}\", \"${env:NAME}\" or \"${systemd-credential:NAME}\""
        ),
        .credential(
            "source: 'http', url: 'https://h/', headers: {x: '${file:x}', y: '${env}', z: '${file:/x'}",
            "2:53: credentials.c.headers.x has a reference that leads nowhere; write an absolute path, such as \"/etc/gateway-agent/credentials/gateway\"",
            "2:69: credentials.c.headers.y has a reference without a kind; write \"${file:/…}\", \"${env:NAME}\" or \"${systemd-credential:NAME}\"",
            "2:82: credentials.c.headers.z has a \"${\" that is not closed; add \"}\""),
    ]

    @Test(arguments: credentials)
    func `a wrong credential is told without showing what may be a secret`(problem: ProblemCase) {
        expect(problem)
        #expect(!configurationProblems(problem.text).contains("0123456789"))
        #expect(!configurationProblems(problem.text).contains("hunter2"))
    }

    static let routes: [ProblemCase] = [
        .route(
            "upstream: 'https://h/', chain: ['a']", prefix: "vercel",
            "2:1: routes.vercel is no prefix; begin and end it with a slash: \"/vercel/\""),
        .route(
            "upstream: 'https://h/', chain: ['a']", prefix: "/-/x/",
            "2:1: routes[\"/-/x/\"] begins with \"/-/\"; choose another: the agent answers there itself"),
        .route(
            "upstream: 'https://h/', chain: ['a']", prefix: "/a/../b/",
            "2:1: routes[\"/a/../b/\"] is no prefix; use letters, digits and \"-\", \".\", \"_\" between single slashes, no \".\" or \"..\" alone"
        ),
        .route(
            "upstream: 'https://h/', chain: ['vercel-odic', 'nothing-like-it', 'client', 'a', 'a']",
            "2:41: routes[\"/r/\"].chain[0] names no credential \"vercel-odic\"; did you mean \"vercel-oidc\"?",
            "2:56: routes[\"/r/\"].chain[1] names no credential \"nothing-like-it\"; there are: a, vercel-oidc",
            "2:75: routes[\"/r/\"].chain[2] is \"client\"; delete it, and write byok: true on the route to pass on the caller's own credential",
            "2:90: routes[\"/r/\"].chain[4] names \"a\" again; delete it: a chain never comes back"),
        .route(
            "upstream: 'https://h/', chain: []", "2:40: routes[\"/r/\"].chain is empty; name at least one credential"),
        .route(
            "upstream: 'https://h/', chain: 'a'",
            "2:40: routes[\"/r/\"].chain is a string; write a list of names: [\"…\"]"),
        .route(
            "upstream: 'https://h/'",
            "2:8: routes[\"/r/\"] injects no credential; write chain: [ … ], or byok: true to pass on the caller's own"),
        .route(
            "upstream: 'https://h/', inject: [{header: 'x', chain: ['a']}, {header: 'X', chain: ['vercel-oidc']}]",
            "2:71: routes[\"/r/\"].inject[1] writes x, as inject[0] does; write a field by one injection only"),
        .route(
            "upstream: 'https://h/', inject: [{header: 'host', chain: ['a']}, {headr: 'x', chain: ['a']}, {}], chain: ['a']",
            "2:51: routes[\"/r/\"].inject[0].header is \"host\"; choose another: this field frames the message or belongs to the connection",
            "2:75: routes[\"/r/\"].inject[1].headr is no known key; did you mean \"header\"?",
            "2:102: routes[\"/r/\"].inject[2] has no \"chain\"; name the credentials: chain: [ … ]",
            "2:114: routes[\"/r/\"].chain cannot stand beside inject; move it into inject: [{ chain: [ … ] }]"),
        .route(
            "upstream: 'https://h/', inject: {chain: ['a']}",
            "2:41: routes[\"/r/\"].inject is an object; write a list: [{ header: \"authorization\", chain: [ … ] }]"),
        .route(
            "upstream: 'https://h/', chain: ['a'], fallback: ['rejectd'], gateway: 'codr', strip: ['host']",
            "2:58: routes[\"/r/\"].fallback[0] is \"rejectd\"; did you mean \"rejected\"?",
            "2:79: routes[\"/r/\"].gateway is \"codr\"; did you mean \"coder\"?",
            "2:95: routes[\"/r/\"].strip[0] is \"host\"; delete it: the agent writes or removes this field itself"),
        .route(
            "upstream: 'https://h/', chain: ['a'], tls: {verify: false, ca: 'x', key: '/k'}, timeouts: {drain: '1s', conect: '1s'}",
            "2:52: routes[\"/r/\"].tls has no \"certificate\"; write both certificate and key, or neither",
            "2:53: routes[\"/r/\"].tls.verify does not exist; write ca: \"/path.pem\" for an authority of your own",
            "2:72: routes[\"/r/\"].tls.ca is \"x\"; write an absolute path, such as \"/etc/gateway-agent/ca.pem\"",
            "2:100: routes[\"/r/\"].timeouts.drain is no matter of one route; write it in timeouts at the top",
            "2:113: routes[\"/r/\"].timeouts.conect is no known key; did you mean \"connect\"?"),
        .route(
            "upstream: 'unix:/s', chain: ['a'], tls: {}",
            "2:49: routes[\"/r/\"].tls stands on a route without TLS; write an https:// upstream, or delete it"),
        .route(
            "chain: ['a']",
            "2:8: routes[\"/r/\"] has no \"upstream\"; write where its calls go: upstream: \"https://…\""),
    ]

    @Test(arguments: routes)
    func `a wrong route is told with its value and the repair`(problem: ProblemCase) {
        expect(problem)
    }

    static let upstreams: [(String, String)] = [
        (
            "'http://h/'",
            "would carry a credential unencrypted to h; write https://, or unsafePlaintextUpstream: true if nobody else is on that network"
        ),
        ("'http://127.0.0.1:4748/'", "is port 4748 of this agent itself; write the address of the gateway behind it"),
        ("'https://u:p@h/'", "holds a user or a password before \"@\"; delete it: a secret has no place in an address"),
        ("'https://h/?q'", "is \"https://h/?q\"; delete \"?\" and what follows: the query is the caller's"),
        ("'https://h/#f'", "is \"https://h/#f\"; delete \"#\" and what follows: a fragment is never sent"),
        (
            "'ftp://h'",
            "is \"ftp://h\"; write an address such as \"https://gateway.example/\" or \"unix:/run/gateway.sock\""
        ),
        ("'h.example/v1'", "is \"h.example/v1\"; write \"https://h.example/v1\""),
        ("'https://h/../x'", "is \"https://h/../x\"; write its path with single slashes, without \".\" and \"..\""),
        ("'https://h:0/'", "is \"https://h:0/\"; write a port from 1 to 65535 after the host"),
        ("'https://h:/'", "is \"https://h:/\"; write a port from 1 to 65535 after the host"),
        ("'https:///'", "is \"https:///\"; write a host behind the \"//\""),
        ("'https://[::g]/'", "is \"https://[::g]/\"; write an IPv6 address between the brackets"),
        (
            "'https://h_/ x'",
            "is \"https://h_/ x\"; percent-encode blanks and whatever is not ASCII; write a host name in its xn-- form"
        ),
        (
            "'https://ümlaut/'",
            "is \"https://ümlaut/\"; percent-encode blanks and whatever is not ASCII; write a host name in its xn-- form"
        ),
        (
            "'unix:x'",
            "is \"unix:x\"; write \"unix:\" and an absolute path of at most 107 bytes, such as \"unix:/run/gateway.sock\""
        ),
        ("7", "is 7; write an address such as \"https://gateway.example/\" or \"unix:/run/gateway.sock\""),
    ]

    @Test(arguments: upstreams)
    func `an upstream that cannot be called safely is told why`(upstream: String, problem: String) {
        expect(.route("upstream: \(upstream), chain: ['a']", "2:19: routes[\"/r/\"].upstream \(problem)"))
    }

    @Test func `a plain upstream off this host needs the word unsafe`() {
        expect(.route("upstream: 'http://h/', chain: ['a'], unsafePlaintextUpstream: true"))
        expect(.route("upstream: 'http://localhost:8080/', chain: ['a']"))
    }

    @Test func `a key of one credential in two files is told with both`() {
        let problems = configurationProblems(
            "{credentials: {a: {source: 'env', name: 'A'}}, routes: {'/r/': {upstream: 'https://h/', chain: ['a']}}}",
            "{\n credentials: {a: {source: 'env'}}, routes: {'/r/': {upstream: 'https://h/'}}}")
        #expect(
            problems == """
                b.json5:2:20: credentials.a.source is also written in a.json5:1:20; keep it in one of the files
                b.json5:2:54: routes["/r/"].upstream is also written in a.json5:1:65; keep it in one of the files
                """)
    }

    @Test func `problems of all files are told, each in its order`() {
        let problems = configurationProblems(
            "{log: {level: 'x'}, threads: 0,", "{threads: -1, log: 7}", "{log: {level: 'y'}}")
        #expect(
            problems == """
                a.json5:1:1: the object that begins here is not closed; add }
                b.json5:1:1: has neither credentials nor routes; write at least one credential
                b.json5:1:11: threads is -1; write a number from 1 to 256
                c.json5:1:15: log.level is "y"; write one of "debug", "info", "warning", "error"
                """)
    }

    private func expect(_ problem: ProblemCase, sourceLocation: SourceLocation = #_sourceLocation) {
        let said = configurationProblems(problem.text).split(separator: "\n").map(String.init)
        #expect(said == problem.problems.map { "a.json5:\($0)" }, sourceLocation: sourceLocation)
    }
}
