// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Random lives over the whole loop on the virtual clock: what the source answers, when callers come and what for, how
/// clocks step and hosts sleep, what upstreams refuse. The invariants are checked after every event by `VirtualHost`; those
/// that need the whole life by `LifePlay`.
///
/// `PROPERTY_SCRIPTS=100000 swift test --filter CredentialPropertyTests` plays more of them.
@Suite struct CredentialPropertyTests {
    /// Scripts a worker; there are eight.
    static let count = (number("PROPERTY_SCRIPTS") ?? 240) / 8
    /// Where the seeds begin.
    static let first = UInt64(number("PROPERTY_SEED") ?? 0)

    private static func number(_ name: String) -> Int? {
        unsafe getenv(name).flatMap { unsafe Int(String(cString: $0)) }
    }

    @Test(arguments: 0..<8)
    func `no script breaks an invariant`(_ worker: Int) {
        for number in 0..<Self.count {
            let script = LifeScript(seed: Self.first + UInt64(number * 8 + worker))
            let broken = script.run()
            guard !broken.isEmpty else { continue }
            let shrunk = script.shrunk()
            Issue.record(
                "seed \(script.seed): \(broken.prefix(3))\nshrunk: \(shrunk.run().prefix(3))\n\(shrunk)")
            return
        }
    }

    @Test func `a script that breaks something is shrunk to what does it`() {
        // Stands for a defect: two refusals of the value held, somewhere in a long life.
        let script = LifeScript(seed: 4242)
        var long = script
        long.events.insert(.reject(late: false), at: long.events.count / 3)
        long.events.append(.reject(late: false))
        let shrunk = long.shrunk { $0.events.count { $0 == .reject(late: false) } >= 2 }
        #expect(shrunk.events == [.reject(late: false), .reject(late: false)])
        #expect(shrunk.replies == [] && shrunk.source == .exec && !shrunk.prefetch && shrunk.skew == 0)
    }
}
