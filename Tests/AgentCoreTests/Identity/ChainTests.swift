// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct ChainTests {
    /// A link's state, as the rows of `Chain`'s table name them.
    enum State: CaseIterable, Sendable {
        case client, noClient
        case fresh, closingFetching, closingUnbegun, closingBackingOff
        case rejectedRenewing, rejected
        case unbegun, fetching, beginsLater
        case failingFetching, failingSoon, failingLong
    }

    static let now = HostTime(wall: VirtualHost.epoch, boot: .seconds(1000))
    static let bound = Int64.seconds(1010)
    private static let refused = CredentialFailure(.refused, "the issuer answered 500")

    private let snapshots = Dictionary(uniqueKeysWithValues: State.allCases.map { ($0, make($0)) })

    private func snapshot(_ state: State) -> CredentialSnapshot? {
        snapshots[state] ?? nil
    }

    private static func make(_ state: State) -> CredentialSnapshot? {
        typealias Phase = CredentialSnapshot.Phase
        let soon = Phase.backingOff(until: .seconds(1005))
        let long = Phase.backingOff(until: .seconds(1050))
        func make(
            life: Double?, phase: Phase, failure: CredentialFailure? = nil, rejected: Bool = false
        ) -> CredentialSnapshot {
            let received = Self.now.moved(by: -.seconds(1000))
            let credential = life.map { life in
                Credential(
                    name: "x", kind: .token, secret: TestToken.secret("x"), generation: 1, received: received,
                    schedule: RenewalPolicy().schedule(
                        issued: nil, notBefore: nil, expires: nil, remaining: .seconds(1000 + life), received: received,
                        jitter: 0))
            }
            return CredentialSnapshot(
                name: "x", kind: .token, sourceKind: "exec", credential: credential, phase: phase, failure: failure,
                failedAt: nil, failures: failure == nil ? 0 : 1, rejectedUntil: rejected ? .seconds(1100) : .min,
                nextRenewal: nil, generation: 1, mints: 1, fetches: 1, skew: nil)
        }
        return switch state {
        case .client, .noClient: nil
        case .fresh: make(life: 1000, phase: .fresh)
        case .closingFetching: make(life: 10, phase: .fetching, failure: Self.refused)
        case .closingUnbegun: make(life: 10, phase: .fresh)
        case .closingBackingOff: make(life: 10, phase: soon, failure: Self.refused)
        case .rejectedRenewing: make(life: 1000, phase: .fetching, rejected: true)
        case .rejected: make(life: 1000, phase: soon, failure: Self.refused, rejected: true)
        case .unbegun: make(life: nil, phase: .idle)
        case .fetching: make(life: nil, phase: .fetching)
        case .beginsLater: make(life: nil, phase: long)
        case .failingFetching: make(life: -1, phase: .fetching, failure: Self.refused)
        case .failingSoon: make(life: -1, phase: soon, failure: Self.refused)
        case .failingLong: make(life: nil, phase: long, failure: Self.refused)
        }
    }

    private func decide(
        _ states: [State], fallback: Chain.Fallback = .unavailable, past: Bool = false
    ) -> Chain.Decision {
        var snapshots: [CredentialSnapshot] = []
        var links: [Chain.Link] = []
        for state in states {
            if let snapshot = snapshot(state) {
                links.append(.credential(snapshots.count))
                snapshots.append(snapshot)
            } else {
                links.append(.client)
            }
        }
        return Chain(links: links, fallback: fallback).decide(
            snapshots.span, clientBrought: states.contains(.client), at: Self.now, bound: past ? 0 : Self.bound)
    }

    /// What one link does before a good one, within the bound and past it.
    @Test(arguments: [
        (State.client, "use 0 preferred", "use 0 preferred"),
        // Gone through as well, though it is nobody's to be demanded.
        (.noClient, "use 1 preferred, wants 0", "use 1 preferred, wants 0"),
        (.fresh, "use 0 preferred", "use 0 preferred"),
        (.closingFetching, "wait 0", "use 0 preferred"),
        (.closingUnbegun, "wait 0", "use 0 preferred"),
        (.closingBackingOff, "use 0 preferred", "use 0 preferred"),
        (.rejectedRenewing, "wait 0", "use 0 last-resort"),
        (.rejected, "use 0 last-resort", "use 0 last-resort"),
        (.unbegun, "wait 0", "use 1 unavailable, wants 0"),
        (.fetching, "wait 0", "use 1 unavailable, wants 0"),
        (.beginsLater, "use 1 unavailable, wants 0", "use 1 unavailable, wants 0"),
        (.failingFetching, "use 1 unavailable, wants 0", "use 1 unavailable, wants 0"),
        (.failingSoon, "use 1 unavailable, wants 0", "use 1 unavailable, wants 0"),
        (.failingLong, "use 1 unavailable, wants 0", "use 1 unavailable, wants 0"),
    ])
    func `each state before a good link`(_ state: State, _ within: String, _ past: String) {
        #expect(decide([state, .fresh]).words == within)
        #expect(decide([state, .fresh], past: true).words == past)
    }

    @Test(arguments: [
        (State.noClient, "fail not-brought", "fail not-brought"),
        (.fresh, "use 0 preferred", "use 0 preferred"),
        (.rejected, "use 0 last-resort", "use 0 last-resort"),
        (.unbegun, "wait 0", "fail pending"),
        (.fetching, "wait 0", "fail pending"),
        (.beginsLater, "fail pending retry", "fail pending retry"),
        (.failingFetching, "wait 0", "fail refused"),
        (.failingSoon, "wait 0", "fail refused retry"),
        (.failingLong, "fail refused retry", "fail refused retry"),
    ])
    func `each state alone`(_ state: State, _ within: String, _ past: String) {
        #expect(decide([state]).words == within)
        #expect(decide([state], past: true).words == past)
    }

    @Test func `a refused link falls back only where the chain says so`() {
        #expect(decide([.rejected, .fresh], fallback: [.unavailable, .rejected]).words == "use 1 rejected, wants 0")
        #expect(decide([.rejectedRenewing, .fresh], fallback: [.rejected]).words == "wait 0")
        #expect(
            decide([.rejectedRenewing, .fresh], fallback: [.rejected], past: true).words == "use 1 rejected, wants 0")
        let both: Chain.Fallback = [.unavailable, .rejected]
        #expect(decide([.rejected, .failingLong], fallback: both).words == "use 0 last-resort, wants 1")
        #expect(decide([.failingLong, .rejected], fallback: both).words == "use 1 last-resort, wants 0")
        #expect(decide([.rejected, .failingLong, .fresh], fallback: [.rejected]).words == "use 0 last-resort, wants 1")
    }

    @Test func `every link that was passed over is wanted, and none behind the one in use`() {
        #expect(decide([.failingLong, .failingLong, .fresh]).words == "use 2 unavailable, wants 0 1")
        #expect(decide([.failingLong, .fresh, .failingLong]).words == "use 1 unavailable, wants 0")
        #expect(
            decide([.failingLong, .rejected, .failingSoon], fallback: [.unavailable, .rejected], past: true).words
                == "use 1 last-resort, wants 0 2")
    }

    @Test func `a chain without fallback never reaches its next link`() {
        #expect(decide([.failingLong, .fresh], fallback: []).words == "fail refused,pending retry")
        #expect(decide([.failingSoon, .fresh], fallback: []).words == "wait 0")
        #expect(decide([.rejected, .fresh], fallback: []).words == "use 0 last-resort")
    }

    @Test func `the caller's own credential has its place anywhere in the chain`() {
        #expect(decide([.client, .failingLong]).words == "use 0 preferred")
        #expect(decide([.failingLong, .client]).words == "use 1 unavailable, wants 0")
        #expect(decide([.fresh, .client]).words == "use 0 preferred")
    }

    @Test func `an empty chain and an index that is not there fail`() {
        let none: [CredentialSnapshot] = []
        for links in [[], [Chain.Link.credential(7)], [.credential(-1)]] {
            let decision = Chain(links: links).decide(none.span, clientBrought: true, at: Self.now, bound: Self.bound)
            #expect(decision.words == "fail ")
        }
    }

    /// The invariants, over every chain of up to three links.
    @Test(arguments: [Chain.Fallback.unavailable, [.unavailable, .rejected], .rejected, []])
    func `no chain fails while it may use a usable link, waits past the bound, or sends what has ended`(
        _ fallback: Chain.Fallback
    ) throws {
        let usable: Set<State> = [
            .client, .fresh, .closingFetching, .closingUnbegun, .closingBackingOff, .rejectedRenewing, .rejected,
        ]
        var chains: [[State]] = []
        for first in State.allCases {
            chains.append([first])
            for second in State.allCases {
                chains.append([first, second])
                for third in State.allCases { chains.append([first, second, third]) }
            }
        }
        // Two links say all there is of a pair; of the triples every seventh is taken.
        chains = chains.enumerated().filter { $1.count < 3 || $0.isMultiple(of: 7) }.map(\.element)
        for states in chains where !(states.contains(.client) && states.contains(.noClient)) {
            for past in [false, true] {
                switch decide(states, fallback: fallback, past: past) {
                case .use(let link, let why, let passed):
                    #expect(usable.contains(states[link]))
                    #expect(passed >= link && (why == .lastResort || passed == link) && passed <= states.count)
                case .wait(let link):
                    try #require(!past)
                    #expect(![.client, .noClient, .fresh, .closingBackingOff, .failingLong].contains(states[link]))
                case .fail(let reasons, _):
                    #expect(reasons.count == states.count)
                    if fallback.contains(.unavailable) { #expect(!states.contains(where: usable.contains)) }
                }
            }
        }
    }

    @Test func `a change of link is told once`() {
        var watch = ChainWatch()
        let told = [(0, .preferred), (0, .preferred), (1, Chain.Reason.unavailable), (nil, nil), (0, .preferred)]
            .map { watch.record(link: $0, why: $1) }
        #expect(told == [true, false, true, true, true])
    }
}

extension Chain.Decision {
    /// Short enough for a table.
    fileprivate var words: String {
        switch self {
        case .use(let link, let why, let passed):
            return "use \(link) \(why.rawValue)" + Self.wants((0..<passed).filter { $0 != link })
        case .wait(let link): return "wait \(link)"
        case .fail(let reasons, let retryAt):
            return "fail \(reasons.map(\.code).joined(separator: ","))" + (retryAt == nil ? "" : " retry")
        }
    }

    private static func wants(_ links: [Int]) -> String {
        links.isEmpty ? "" : ", wants " + links.map(String.init).joined(separator: " ")
    }
}
