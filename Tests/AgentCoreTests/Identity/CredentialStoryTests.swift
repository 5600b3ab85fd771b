// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// The whole of it over real sockets: a caller, the agent, a gateway that verifies what it is shown, and an issuer of
/// tokens that live for seconds and that fails in every way an issuer can.
@Suite(.serialized, .timeLimit(.minutes(2))) struct CredentialStoryTests {
    /// What the fault makes of the credential, in the words of the status.
    struct Fault: Sendable, CustomTestStringConvertible {
        let fault: IssuerFault
        let codes: Set<String>

        var testDescription: String { "\(fault)" }
    }

    static let faults = [
        Fault(fault: .down, codes: ["unreachable"]), Fault(fault: .hang, codes: ["timed-out"]),
        Fault(fault: .drip, codes: ["timed-out"]), Fault(fault: .serverError, codes: ["refused"]),
        Fault(fault: .tooManyRequests(retryAfter: 1), codes: ["refused"]), Fault(fault: .empty, codes: ["empty"]),
        Fault(fault: .garbage, codes: ["malformed"]), Fault(fault: .expiredToken, codes: ["expired"]),
        Fault(fault: .sameToken, codes: ["unchanged", "expired"]), Fault(fault: .html, codes: ["malformed"]),
        Fault(fault: .truncated, codes: ["unreachable", "malformed"]), Fault(fault: .redirect, codes: ["refused"]),
    ]

    @Test(arguments: faults)
    func `no call fails while the issuer does, and the identity comes back by itself`(_ story: Fault) async throws {
        try await withStory { stage in
            try await stage.call(until: "token")
            await stage.issuer.fail(story.fault)
            try await stage.call(until: "key")
            let code = try #require(try await stage.error())
            #expect(story.codes.contains(code), "\(code)")
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
            let lines = stage.log.text.split(separator: "\n").filter { $0.contains("\"/api/\"") && $0.contains("calls ") }
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
            #expect(try await stage.error() == "refused")
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
