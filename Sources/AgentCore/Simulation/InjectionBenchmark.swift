// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What a call pays for its credential when a token is cached: the decision on the chain, the note of the use, the field
/// line, and its bytes copied into the request. Counted in instructions by scripts/bench-injection.
enum InjectionBenchmark {
    /// Prints the number of bytes written, so that nothing of the work can be left out.
    static func run(_ count: Int) -> Int32 {
        var machine = CredentialMachine(
            CredentialSpec(name: "token", source: .exec(ExecSpec(command: ["issue"]))), seed: 1)
        let clock = SystemClock()
        let token = Secret(copying: Array(repeating: UInt8(ascii: "a"), count: 1200).span)
        var snapshots: [CredentialSnapshot] = []
        let value = SourceValue(secret: token, expiry: .after(Duration.seconds(3600).nanoseconds))
        for event in [CredentialMachine.Event.demand(life: 0), .fetched(flight: 1, .success(value))] {
            for case .publish(let snapshot) in machine.handle(event, at: clock.now()) { snapshots = [snapshot] }
        }
        let table = CredentialTable(
            snapshots + snapshots.map { $0.named("key", kind: .key) }, lineCount: 2,
            signals: CredentialSignals(used: { _, _ in }, demanded: { _, _ in }, rejected: { _, _ in }))
        let chain = Chain(links: [.credential(0), .credential(1)])
        var head = ByteBuffer(capacity: 4096)
        var written = 0
        for _ in 0..<count { written += inject(table, chain, clock.now(), &head) }
        print("\(written) bytes")
        return written > 0 ? 0 : 1
    }

    @inline(never)
    static func inject(_ table: CredentialTable, _ chain: Chain, _ now: HostTime, _ head: inout ByteBuffer) -> Int {
        guard
            case .use(let link, _, _) = table.decide(
                chain, clientBrought: false, at: now, bound: now.boot.plus(10_000_000_000)),
            case .credential(let place) = chain.links[link],
            let line = table.use(place, as: .bearer, slot: link)?.line
        else { return 0 }
        line.withExposedBytes { head.append($0) }
        let count = head.count
        head.clear()
        return count
    }
}
