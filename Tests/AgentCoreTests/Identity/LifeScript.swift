// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// One life of a credential as data: what the source answers, and what happens around it. Printed, it is the Swift that
/// makes it again.
struct LifeScript: Sendable, CustomStringConvertible {
    enum Event: Sendable, Equatable {
        /// A caller, who uses what there is or asks for it.
        case call
        /// Many callers in one moment.
        case rush(Int)
        /// A caller of the token endpoint, who wants so many seconds of life and waits his 15 s at most.
        case wish(Int)
        /// An upstream refused the value that is held, or an older one.
        case reject(late: Bool)
        case sourceChanged
        /// The wall clock is set, seconds; the agent hears of it or does not.
        case step(Int, told: Bool)
        /// The host sleeps, seconds.
        case suspend(Int, told: Bool)
        /// Milliseconds.
        case pass(Int)
    }

    enum Token: Sendable, Equatable {
        case fresh
        /// Half of its life is over.
        case aged
        /// Without `iat`.
        case untold
        /// `nbf` in so many seconds.
        case begins(Int)
        /// `exp` in the past.
        case ended
        /// `nbf` after `exp`.
        case reversed
        /// It lives for a second.
        case brief
        /// What was given last.
        case same
        /// No JWT; `expires_in` beside it.
        case opaque
        /// No JWT and no end.
        case endless
        /// The same one without an end, always.
        case constant
        case failure(CredentialFailure.Kind, retryAfter: Int?)
        case hang
    }

    struct Reply: Sendable, Equatable {
        /// Milliseconds.
        var delay: Int
        var token: Token

        static let good = Reply(delay: 50, token: .fresh)
    }

    enum Source: String, Sendable, CaseIterable { case exec, http, file }

    var source = Source.exec
    var prefetch = false
    /// Seconds that tokens live.
    var life = 300
    /// Seconds that this host's wall clock is ahead of the issuer's at the start.
    var skew = 0
    /// To the first question, the second, and so on; then good ones.
    var replies: [Reply] = []
    var events: [Event] = []
    var seed: UInt64 = 1

    var description: String {
        let replies = replies.map { ".init(delay: \($0.delay), token: \(Self.text("\($0.token)")))" }
        let events = events.map { Self.text("\($0)") }
        return """
            LifeScript(source: .\(source), prefetch: \(prefetch), life: \(life), skew: \(skew), replies: [
                \(replies.joined(separator: ", "))
            ], events: [\(events.joined(separator: ", "))], seed: \(seed))
            """
    }

    /// A case as it is written.
    private static func text(_ shown: String) -> String {
        "." + shown.replacing("AgentCore.CredentialFailure.Kind.", with: ".").replacing("Optional(", with: "(")
    }

    var spec: CredentialSpec {
        var spec =
            switch source {
            case .exec: CredentialMachineTests.exec
            case .file: CredentialMachineTests.file
            case .http: CredentialSpec(name: "token", source: .http(HTTPSourceSpec(target: .url("http://localhost/"))))
            }
        spec.prefetch = prefetch
        return spec
    }

    /// Nothing is said to come early, and the source does what it should in time.
    var isCalm: Bool {
        replies.allSatisfy { [.fresh, .untold, .opaque].contains($0.token) && $0.delay * 20 <= life * 1000 }
            && skew == 0
            && events.allSatisfy {
                switch $0 {
                case .call, .rush: true
                case .pass(let length): length * 20 <= life * 1000
                default: false
                }
            }
    }
}

extension LifeScript {
    /// Random, decided by the seed; every third is calm.
    init(seed: UInt64) {
        var dice = SeededGenerator(seed: seed)
        func below(_ count: Int) -> Int { Int(dice.next() % UInt64(count)) }
        func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
        self.seed = seed
        let isCalm = seed.isMultiple(of: 3)
        source = pick([.exec, .exec, .http, .file])
        prefetch = below(4) == 0
        life = pick([1, 5, 30, 299, 900, 3600, 86_400, 2_592_000])
        if isCalm { life = max(life, 5) }
        if !isCalm, below(4) == 0 { skew = pick([-1_795_248_000, -3600, -30, 30, 3600]) }
        // How bad the source is, and how lively its surroundings.
        let trouble = isCalm ? 0 : below(100)
        for _ in 0..<below(40) {
            let token: Token =
                below(100) >= trouble
                ? pick([.fresh, .fresh, .untold, .opaque])
                : pick([
                    .aged, .begins(pick([1, 20, 400])), .ended, .reversed, .brief, .same, .same, .endless, .constant,
                    .hang,
                    .failure(
                        pick(CredentialFailure.Kind.allCases.filter { $0 != .unchanged && $0 != .expired }),
                        retryAfter: nil),
                    .failure(.refused, retryAfter: pick([0, 1, 30, 400, 100_000])),
                ])
            let delay = isCalm ? below(max(1, min(3000, life * 50))) : pick([0, 1, 50, 1000, 3000, 20_000])
            replies.append(Reply(delay: delay, token: token))
        }
        // In steps of seconds, or of the token's life.
        let unit = pick([1000, life * 50, life * 300])
        for _ in 0..<(20 + below(100)) {
            let event: Event =
                switch below(isCalm ? 9 : 20) {
                case 0...3: .call
                case 4...7: .pass(isCalm ? below(life * 50) : below(unit) + pick([0, 0, 1, 100]))
                case 8: .rush(below(50))
                case 9...11: .pass(below(20_000))
                case 12: .wish(pick([0, life / 2, life * 9 / 10, life, life * 2, 60]))
                case 13, 14: .reject(late: below(3) == 0)
                case 15: .sourceChanged
                case 16, 17: .step(pick([1, 60, 3600, 1_000_000]) * pick([-1, 1]), told: below(3) > 0)
                default: .suspend(pick([1, 60, 3600, life]), told: below(3) > 0)
                }
            events.append(event)
            // A calm life has a caller at every turn: what is promised, is promised to who asks.
            if isCalm, case .pass = event { events.append(.call) }
        }
    }
}
