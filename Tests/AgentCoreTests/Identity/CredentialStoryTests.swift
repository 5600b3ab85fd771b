// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
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
        let document = String(decoding: try Data(contentsOf: URL(filePath: Self.document)), as: UTF8.self)
        #expect(document.contains("| `\(story.code)` | `\(story.sentence)` |"))
    }

    @Test(arguments: faults)
    func `no call fails while the issuer does, and the identity comes back by itself`(_ story: Fault) async throws {
        try await withStory { stage in
            try await stage.call(until: "token")
            await stage.issuer.fail(story.fault)
            try await stage.call(until: "key")
            let (code, sentence) = try #require(try await stage.failure())
            // The token held may end between two questions.
            if story.fault != .sameToken || code == "unchanged" {
                #expect(code == story.code)
                #expect(matches(sentence, story.sentence), "\(sentence)")
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
        try await withStory { stage in
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
                #expect(later.issued - earlier.issued >= 1)
            }
        }
    }

    @Test func `a token for another audience is refused by the gateway, and the key takes its place`() async throws {
        try await withStory(fallback: [.unavailable, .rejected]) { stage in
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
            let lines = stage.log.text.split(separator: "\n").filter {
                $0.contains("\"/api/\"") && $0.contains("calls ")
            }
            #expect(lines.count == 3, "\(lines)")
            #expect(lines.last?.contains("calls use token, the first of the chain") == true)
            #expect(lines.dropFirst().first?.contains("calls fall back to key") == true)
            #expect(lines.dropFirst().first?.contains("500") == true, "it says why")
            let metrics = try await stage.text("/-/metrics")
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
            #expect(try await stage.failure()?.code == "refused")
            try stage.writeRequestToken()
            try await stage.call(until: "token")
            #expect(stage.failed == [])
        }
    }

    @Test func `a prefetch from an issuer that hangs does not keep the agent from serving`() async throws {
        try await withStory(prefetch: true, before: { await $0.fail(.hang) }) { stage in
            try await stage.call(until: "key")
            #expect(stage.failed == [])
        }
    }
}
