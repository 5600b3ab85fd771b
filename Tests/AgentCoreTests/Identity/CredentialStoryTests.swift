// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Glibc
import Testing

@testable import AgentCore

/// The whole of it over real sockets: a caller, the agent, a gateway that verifies what it is shown, and an issuer of
/// tokens that live for seconds and that fails in every way an issuer can.
@Suite(.serialized, .timeLimit(.minutes(2))) struct CredentialStoryTests {
    /// What the fault makes of the credential: the code, and the sentence as docs/credentials.md has it, … for what
    /// differs.
    struct Fault: Sendable, CustomTestStringConvertible {
        let fault: IssuerFault
        let code: String
        let sentence: String

        /// Of a question to the issuer: one that does not answer has to be given up.
        var timeLimit: Duration { code == "timed-out" ? .seconds(1) : .seconds(20) }

        var testDescription: String { "\(fault)" }
    }

    static let timedOut =
        "…/token: the time was over while …; the limit is …, which timeout in its configuration raises"

    static let faults = [
        Fault(
            fault: .down, code: "unreachable",
            sentence: "…/token: cannot connect to …: Connection refused; "
                + "see whether it runs and whether this host may reach it"),
        Fault(fault: .hang, code: "timed-out", sentence: timedOut),
        Fault(fault: .drip, code: "timed-out", sentence: timedOut),
        Fault(fault: .serverError, code: "refused", sentence: "…/token answered 500 (…); it is asked again"),
        Fault(
            fault: .tooManyRequests(retryAfter: 1), code: "refused",
            sentence: "…/token answered 429 (…); it is asked again in …, as it wishes"),
        Fault(
            fault: .empty, code: "empty",
            sentence: "…/token answered 200 with no content; see whether it has a token for this host"),
        Fault(
            fault: .garbage, code: "malformed",
            sentence: "…/token: the answer is not valid JSON; see what the source prints"),
        Fault(
            fault: .expiredToken, code: "expired",
            sentence: "the source returned a token that expired … ago by this host's clock…; "
                + "see that the source renews it and that the clock is right (timedatectl)"),
        Fault(
            fault: .sameToken, code: "unchanged",
            sentence: "the source returned the same token again, with the same end; it is asked again before that"),
        Fault(
            fault: .html, code: "malformed",
            sentence: "…/token answered 200 with a web page (HTML) and no token; "
                + "see the address, and whether a login page stands before it"),
        Fault(
            fault: .truncated, code: "unreachable",
            sentence: "…/token: the connection broke after … of … bytes of the answer: …; it is asked again"),
        Fault(
            fault: .redirect, code: "refused",
            sentence: "…/token answered 302 and points to …; a redirect is not followed, write the final address"),
    ]

    /// Sentences of the document that other tests of this suite provoke.
    static let unauthorized = (
        "refused",
        "…/token answered 401 (…); see whether the secret it is asked with is right, still valid and permitted to do this"
    )
    static let refusedKey = (
        "unchanged", "the source still returns the value that the upstream rejected; replace it at the source"
    )
    static let missing = ("unavailable", "file …: No such file or directory; see the path, or create the file")
    static let hungCommand = (
        "timed-out",
        "command \"…\" did not end within … and was stopped…; see what it waits for, or raise timeout in its configuration"
    )
    static let hungFile = (
        "timed-out", "the source did not answer within …; see whether a file it reads lies on a file system that hangs"
    )

    static let systemd = (
        "unavailable",
        "systemd credential key_…: No such file or directory; put it into /etc/gateway-agent/credentials/…, "
            + "then systemctl reload gateway-agent"
    )
    static let exited = ("refused", "command \"…\" exited with status …; run it by hand as the agent's user")
    static let notFound = (
        "unavailable",
        "command \"…\" is not found in PATH (…);…; see whether it is installed and the agent's user may run it"
    )
    static let unset = (
        "unavailable", "variable … is not set; set it where the agent is started (systemd: Environment=)"
    )
    static let unresolved = (
        "unreachable", "https://…: host name \"…\" does not resolve: …; see the name, and this host's resolver"
    )
    static let nothingThere = (
        "malformed",
        "…: the answer has nothing at …, where the token should be; see field in its configuration, and what the source prints"
    )
    static let noEnd = (
        "malformed",
        "…: the answer has nothing at …, where its end should be; seconds or a date of RFC 3339 is needed, "
            + "see expiryField in its configuration"
    )
    static let twoLines = (
        "malformed",
        "…: the value has a line feed at byte … of …, which no credential may have; "
            + "see whether the source prints more than the token"
    )

    static let document = URL(filePath: #filePath).deletingLastPathComponent().path + "/../../../docs/credentials.md"

    /// Whether `text` is `pattern`, in which … stands for anything.
    private func matches(_ text: String, _ pattern: String) -> Bool {
        var rest = Substring(text)
        let parts = pattern.split(separator: "…", omittingEmptySubsequences: false)
        for (number, part) in parts.enumerated() where !part.isEmpty {
            guard let range = rest.firstRange(of: part), number > 0 || range.lowerBound == text.startIndex else {
                return false
            }
            rest = rest[range.upperBound...]
        }
        return rest.isEmpty || parts.last?.isEmpty == true
    }

    @Test(arguments: faults)
    func `every failure is told in the words of the document`(_ story: Fault) throws {
        #expect(try Self.rows().contains { $0 == [story.code, story.sentence] })
    }

    /// Code and sentence of each row of the failure table.
    private static func rows() throws -> [[String]] {
        let document = String(decoding: try Data(contentsOf: URL(filePath: Self.document)), as: UTF8.self)
        let section = document.split(separator: "| code | what the operator sees | what to do |\n").last ?? ""
        return section.split(separator: "\n\n")[0].split(separator: "\n").dropFirst().map { row in
            row.split(separator: " | ").prefix(2).map { $0.trimmingPrefix("| ").filter { $0 != "`" } }.map {
                String($0)
            }
        }
    }

    @Test func `no row of the document is without a test that provokes it`() throws {
        let others = [
            Self.unauthorized, Self.refusedKey, Self.missing, Self.hungCommand, Self.hungFile, Self.systemd,
            Self.exited,
            Self.notFound, Self.unset, Self.unresolved, Self.nothingThere, Self.noEnd, Self.twoLines,
        ]
        let told = Set(Self.faults.map { [$0.code, $0.sentence] } + others.map { [$0.0, $0.1] })
        let rows = try Self.rows()
        #expect(rows.count >= told.count)
        for row in rows { #expect(told.contains(row), "\(row)") }
    }

    @Test(arguments: faults.filter { $0.fault != .sameToken })
    func `check says of each failure what the document says`(_ story: Fault) async throws {
        let issuer = try await EmbeddedIssuer.start(audience: "https://gateway.example", life: .seconds(3))
        let folder = ScratchFolder()
        folder.write(TestToken.text(issuer.requestToken), to: "request-token")
        let specs = [.seconds(20), story.timeLimit].map {
            CredentialSpec(name: "token", source: .http(issuer.storySource(folder, timeLimit: $0)))
        }
        let found = try await LoopActor.with { _, loop, _ in
            let good = await CheckCommand.attempt(specs[0], on: loop)
            await issuer.fail(story.fault)
            return [good, await CheckCommand.attempt(specs[1], on: loop)]
        }
        await issuer.stop()
        // check asks once.
        let words =
            story.sentence.firstRange(of: "; it is asked again").map { story.sentence[..<$0.lowerBound] }
            ?? story.sentence[...]
        #expect(found[0].isGood && found[0].sentence.hasPrefix("ok, expires in "))
        #expect(
            !found[1].isGood && matches(found[1].sentence, "\(story.code): \(words)"), "\(found[1].sentence)")
    }

    @Test func `what concerns this host is told in the words of the document`() async throws {
        let folder = ScratchFolder()
        var exec = ExecSpec(command: ["/bin/sh", "-c", "sleep 1000"])
        exec.timeLimit = .milliseconds(50)
        func shell(_ script: String, _ field: FieldSpec = .raw) -> SourceSpec {
            .exec(ExecSpec(command: ["/bin/sh", "-c", script], field: field))
        }
        unsafe setenv("CREDENTIALS_DIRECTORY", folder.path, 1)
        defer { unsafe unsetenv("CREDENTIALS_DIRECTORY") }
        let sources: [(SourceSpec, (String, String))] = [
            (.file(path: folder.path("none"), field: .raw), Self.missing), (.exec(exec), Self.hungCommand),
            (.systemdCredential(name: "key_none", field: .raw), Self.systemd),
            (shell("exit 3"), Self.exited), (.exec(ExecSpec(command: ["no-such-program-here"])), Self.notFound),
            (.env(name: "GATEWAY_AGENT_TEST_NONE", field: .raw), Self.unset),
            (.http(HTTPSourceSpec(target: .url("https://does-not-exist.invalid/"), method: "GET")), Self.unresolved),
            (shell("echo '{}'", .json(token: "/token", expiry: nil)), Self.nothingThere),
            (shell("echo '{\"token\":\"t\"}'", .json(token: "/token", expiry: "/end")), Self.noEnd),
            (shell("printf 'a\\nb\\n'"), Self.twoLines),
        ]
        let specs = sources.map { (CredentialSpec(name: "a", source: $0), $1) }
        for (spec, words) in specs {
            let found = try await LoopActor.with { _, loop, _ in await CheckCommand.attempt(spec, on: loop) }
            #expect(matches(found.sentence, "\(words.0): \(words.1)"), "\(found.sentence)")
        }
        // A file system that hangs cannot be had here: the limit of the machine that the agent runs.
        var host = VirtualHost(CredentialMachineTests.file) { _, _ in (0, .hang) }
        host.call()
        host.run(.seconds(5.1))
        #expect(matches(host.snapshot?.failure?.message ?? "", Self.hungFile.1))
    }

    @Test func `a key that the upstream refuses is told in the words of the document`() async throws {
        try await withGateway(route: { $0.fallback = [.unavailable] }) { agent, upstream in
            upstream.serve { server in
                while true {
                    _ = try server.head()
                    try server.send(CredentialFlowTests.refusal)
                }
            }
            let caller = try agent.connect()
            #expect(try caller.get("/api/").status == 401)
            var error: JSONValue?
            while error == nil {
                let status = try JSONValue.decode(try caller.get("/-/status").body.utf8.span)
                error = status["credentials"]?.arrayValue?.first { $0["name"]?.stringValue == "token" }?["error"]
            }
            #expect(error?["code"]?.stringValue == Self.refusedKey.0)
            #expect(error?["message"]?.stringValue == Self.refusedKey.1)
        }
    }

    @Test(arguments: faults)
    func `no call fails while the issuer does, and the identity comes back by itself`(_ story: Fault) async throws {
        try await withStory(timeLimit: story.timeLimit) { stage in
            try await stage.call(until: "token")
            await stage.issuer.fail(story.fault)
            try await stage.call(until: "key")
            let (code, sentence) = try #require(try await stage.failure())
            // The token held may end between two questions.
            if story.fault != .sameToken || code == "unchanged" {
                #expect(code == story.code)
                #expect(matches(sentence, story.sentence), "\(sentence)")
            }
            if story.fault != .sameToken {
                let starts = ["renewal fails, the value held stays in use: ", "cannot be had: "]
                let told = stage.news.contains { line in starts.contains { matches(line, $0 + story.sentence) } }
                #expect(told, "\(stage.news)")
            }
            let asked = stage.issuer.requestCount
            try await stage.issuer.heal()
            try await stage.call(until: "token")
            #expect(stage.issuer.requestCount - asked <= 3, "one question is enough")
            #expect(stage.failed == [])
            // A token whose end came while it was on its way: the call was sent again with the key.
            #expect(stage.gatewayRefusals <= 1)
        }
    }

    @Test func `a token renewed under way is never seen to end, and mints are few`() async throws {
        // A call that is under way for longer than the window before a token's end may bring one that has ended.
        try await withStory(life: .seconds(6)) { stage in
            for _ in 0..<4 {
                let minted = stage.issuer.mintCount
                while stage.issuer.mintCount == minted { try await stage.call() }
            }
            #expect(Set(stage.used) == ["token"])
            #expect(stage.failed == [] && stage.gatewayRefusals == 0)
            #expect(stage.issuer.requestCount == stage.issuer.mintCount)
            let mints = stage.issuer.minted
            // `iat` is a whole second, so that as much as one second of a life is over when the token comes.
            for (earlier, later) in zip(mints.dropFirst(), mints.dropFirst(2)) {
                #expect(later.issued - earlier.issued >= 3)
            }
        }
    }

    @Test func `a token for another audience is refused by the gateway, and the key takes its place`() async throws {
        try await withStory(life: .seconds(60), fallback: [.unavailable, .rejected]) { stage in
            await stage.issuer.fail(.otherAudience)
            try await stage.call(until: "key")
            for _ in 0..<20 { try await stage.call() }
            // The first call goes out with the token, is replayed with a renewed one, and that is refused as well.
            #expect(stage.failed.allSatisfy { $0 == 401 } && stage.failed.count <= 1)
            #expect(stage.issuer.requestCount <= 3)
        }
    }

    @Test func `a hundred calls at once on a cold agent cause one mint`() async throws {
        try await withStory(life: .seconds(60)) { stage in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { try await stage.call() } }
                try await group.waitForAll()
            }
            #expect(stage.issuer.requestCount == 1)
            #expect(stage.used.count == 100 && stage.failed == [])
        }
    }

    @Test func `two credentials of one source cost one mint`() async throws {
        try await withStory(life: .seconds(60)) { stage in
            try await stage.call("/api/")
            try await stage.call("/other/")
            #expect(stage.used == ["token", "same-token"])
            #expect(stage.issuer.requestCount == 1)
        }
    }

    @Test func `the log tells of a fall back and of the return once, and not at each call`() async throws {
        try await withStory { stage in
            try await stage.call(until: "token")
            await stage.issuer.fail(.serverError)
            try await stage.call(until: "key")
            for _ in 0..<10 { try await stage.call() }
            try await stage.issuer.heal()
            try await stage.call(until: "token")
            for _ in 0..<10 { try await stage.call() }
            // Made on the loop that writes the log, behind what the last call had it write.
            let metrics = try await stage.text("/-/metrics")
            let lines = stage.log.text.split(separator: "\n").filter {
                $0.contains("\"/api/\"") && $0.contains("calls ")
            }
            #expect(lines.count == 3, "\(lines)")
            #expect(lines.last?.contains("calls use token, the first of the chain") == true)
            #expect(lines.dropFirst().first?.contains("calls fall back to key") == true)
            #expect(lines.dropFirst().first?.contains("500") == true, "it says why")
            #expect(
                metrics.contains(
                    "gateway_agent_chain_link{route=\"/api/\",injection=\"0\",link=\"0\",credential=\"token\"} 1"))
            #expect(
                metrics.contains(
                    "gateway_agent_chain_link{route=\"/api/\",injection=\"0\",link=\"1\",credential=\"key\"} 0"))
        }
    }

    @Test func `the request token is read anew for each mint`() async throws {
        try await withStory { stage in
            try await stage.call(until: "token")
            stage.folder.write("a-wrong-one", to: "request-token")
            try await stage.call(until: "key")
            let failure = try #require(try await stage.failure())
            #expect(failure.code == Self.unauthorized.0)
            #expect(matches(failure.sentence, Self.unauthorized.1), "\(failure.sentence)")
            try stage.writeRequestToken()
            try await stage.call(until: "token")
            #expect(stage.failed == [])
        }
    }

    @Test func `a prefetch from an issuer that hangs does not keep the agent from serving`() async throws {
        try await withStory(timeLimit: .seconds(1), prefetch: true, before: { await $0.fail(.hang) }) { stage in
            try await stage.call(until: "key")
            #expect(stage.failed == [])
        }
    }
}
