// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// Stories of one credential, each over the whole loop: machine, timers, source, callers.
@Suite struct CredentialMachineTests {
    static let exec = CredentialSpec(name: "token", source: .exec(ExecSpec(command: ["issue"])))
    static let file = CredentialSpec(name: "token", source: .file(path: "/run/token", field: .raw))
    static let key = CredentialSpec(name: "key", kind: .key, source: .file(path: "/etc/key", field: .raw))

    static let refused = CredentialFailure(.refused, "the issuer answered 500")

    /// A fresh token of `life` seconds for every question, after 50 ms.
    static func minting(_ life: Double) -> (Int, HostTime) -> (delay: Int64, VirtualHost.Answer) {
        { count, now in
            let wall = Double(now.wall / 1_000_000) / 1000
            return (
                50_000_000,
                .token(TestToken.value(TestToken.jwt(issued: wall, expires: wall + life, serial: count)))
            )
        }
    }

    func expectSound(_ host: VirtualHost, _ comment: Comment? = nil) {
        #expect(host.violations.isEmpty, comment)
    }

    // MARK: Windows and mints

    @Test(arguments: [5.0, 10, 30, 60, 299, 300, 900, 3600, 7200, 43_200, 86_400, 604_800, 2_592_000])
    func `at most one and a half mints a life, and never without a token`(_ life: Double) throws {
        var host = VirtualHost(Self.exec, seed: UInt64(life), source: Self.minting(life))
        host.call()
        host.run(.seconds(0.1))
        let lives = 40.0
        let unserved = host.run(.seconds(life * lives), callingEvery: .seconds(life / 23))
        #expect(unserved == 0)
        let mints = try #require(host.snapshot).mints
        #expect(Double(mints) <= 1.5 * lives + 1)
        #expect(Double(mints) >= lives)
        #expect(host.asked.count == Int(mints))
        expectSound(host)
    }

    @Test func `tokens of five minutes are minted eighteen times an hour at most, forever`() {
        var host = VirtualHost(Self.exec, source: Self.minting(299))
        host.run(.seconds(86_400), callingEvery: .seconds(3))
        #expect(host.asked.count <= 24 * 18 + 10)
        expectSound(host)
    }

    @Test func `callers at startup share one flight`() {
        var host = VirtualHost(Self.exec, source: Self.minting(300))
        for _ in 0..<200 { host.call() }
        host.run(.seconds(1))
        for _ in 0..<200 { host.call() }
        #expect(host.asked.count == 1)
        #expect(host.isUsable)
    }

    @Test func `nobody asked, so nothing is fetched`() {
        var host = VirtualHost(Self.exec, source: Self.minting(300))
        host.run(.seconds(86_400))
        #expect(host.asked.isEmpty)
        #expect(host.snapshot?.phase == .idle)
    }

    @Test(arguments: [5.0, 300, 3600])
    func `a credential nobody asks for lapses, and the next caller brings it back`(_ life: Double) {
        var host = VirtualHost(Self.exec, source: Self.minting(life))
        host.call()
        host.run(.seconds(life * 20))
        #expect(host.asked.count <= 3)
        #expect(!host.isUsable)
        #expect(host.changes.last == .lapsed)
        let asked = host.asked.count
        host.call()
        host.run(.seconds(0.05))
        #expect(host.isUsable)
        #expect(host.asked.count == asked + 1)
        expectSound(host)
    }

    @Test func `prefetch keeps it warm from the start although nobody asks`() {
        var spec = Self.exec
        spec.prefetch = true
        var host = VirtualHost(spec, source: Self.minting(300))
        host.run(.seconds(61))
        for _ in 0..<1000 {
            guard host.isUsable else {
                Issue.record("without a token at \(host.boot)")
                break
            }
            host.run(.seconds(10))
        }
        #expect(host.asked.count <= 53)
        expectSound(host)
    }

    @Test func `prefetch begins at another moment of the first minute on every host, and at once for a caller`() {
        var spec = Self.exec
        spec.prefetch = true
        var seconds: Set<Int64> = []
        for seed in 1...200 {
            var host = VirtualHost(spec, seed: UInt64(seed), source: Self.minting(300))
            #expect(host.snapshot?.phase == .idle)
            host.run(.seconds(60))
            #expect(host.asked.count == 1)
            seconds.formUnion(host.asked.map { $0 / 1_000_000_000 })
        }
        #expect(seconds.count > 50)
        var host = VirtualHost(spec, source: Self.minting(300))
        host.call()
        #expect(host.asked == [0])
    }

    @Test func `hosts that receive their first token together do not renew it together`() {
        var moments: [Int64] = []
        for seed in 1...400 {
            var host = VirtualHost(Self.exec, seed: UInt64(seed), source: Self.minting(300))
            host.run(.seconds(299), callingEvery: .seconds(0.5))
            if host.asked.count > 1 { moments.append(host.asked[1] / 1_000_000_000) }
        }
        #expect(moments.count == 400)
        // Over a quarter to three quarters of its life, in equal shares: 400 over six parts of 25 s.
        for part in 3..<9 {
            let share = moments.count { $0 >= Int64(part) * 25 && $0 < Int64(part + 1) * 25 }
            #expect((40...95).contains(share), "\(share) of 400 in \(part * 25) s to \(part * 25 + 25) s")
        }
    }

    @Test func `a caller who needs more life than is left gets a new token, once`() {
        var host = VirtualHost(Self.exec, source: Self.minting(3600))
        host.call()
        host.run(.seconds(1200))
        host.send(.demand(life: .seconds(3000)))
        host.run(.seconds(1))
        #expect(host.asked.count == 2)
        #expect(host.snapshot?.isUsable(for: .seconds(3000), at: host.now) == true)
        host.send(.demand(life: .seconds(9000)))
        host.run(.seconds(500))
        #expect(host.asked.count == 2)
    }

    // MARK: Failure and recovery

    @Test func `a failed renewal never loses a valid token`() {
        let mint = Self.minting(3600)
        var host = VirtualHost(Self.exec) { count, now in
            count == 1 ? mint(count, now) : (1_000_000, .failure(Self.refused))
        }
        host.call()
        host.run(.seconds(0.1))
        var served = 0.0
        while host.isUsable {
            host.call()
            host.run(.seconds(1))
            served += 1
        }
        #expect(served >= 3599)
        #expect(host.changes.count { if case .failing = $0 { true } else { false } } == 1)
        #expect(host.changes.last == .expired)
        expectSound(host)
    }

    @Test(arguments: [10.0, 600, 1800, 86_400, 604_800])
    func `after an outage of any length it comes back within one back-off step`(_ outage: Double) throws {
        let mint = Self.minting(300)
        var host = VirtualHost(Self.exec, seed: UInt64(outage)) { count, now in
            now.boot > .seconds(100) && now.boot < .seconds(100 + outage)
                ? (20_000_000, .failure(Self.refused)) : mint(count, now)
        }
        host.run(.seconds(100 + outage), callingEvery: .seconds(max(5, outage / 20_000)))
        let asked = host.asked.filter { $0 > .seconds(100) }
        // The first minute is quick, from then on one question in half a minute on average.
        #expect(Double(asked.count) <= outage / 20 + 30)
        for (earlier, later) in zip(asked, asked.dropFirst()) { #expect(later - earlier >= .seconds(1)) }
        var waited = 0.0
        while !host.isUsable || host.snapshot?.failure != nil {
            host.call()
            host.run(.seconds(1))
            waited += 1
            try #require(waited <= 62)
        }
        expectSound(host)
    }

    @Test func `Retry-After is respected`() {
        var host = VirtualHost(Self.exec) { _, _ in
            (0, .failure(CredentialFailure(.refused, "the issuer answered 429", retryAfter: .seconds(120))))
        }
        host.run(.seconds(3600), callingEvery: .seconds(1))
        for (earlier, later) in zip(host.asked, host.asked.dropFirst()) { #expect(later - earlier >= .seconds(121)) }
        #expect(host.asked.count > 10)
    }

    @Test func `a source that hangs is abandoned at its limit, and asked again`() {
        let mint = Self.minting(300)
        var host = VirtualHost(Self.exec) { count, now in count <= 3 ? (0, .hang) : mint(count, now) }
        host.call()
        // The command's own 30 s, its grace of 2 s, and one more.
        host.run(.seconds(32.9))
        #expect(host.snapshot?.phase == .fetching)
        host.run(.seconds(0.2))
        #expect(host.snapshot?.failure?.kind == .timedOut)
        host.run(.seconds(150), callingEvery: .seconds(5))
        #expect(host.isUsable)
        expectSound(host)
    }

    // MARK: Sources that do not renew

    @Test(arguments: [5.0, 60, 300, 3600, 43_200])
    func `the same token again is no success, no loop, and stays in use while it lives`(_ life: Double) {
        let token = TestToken.jwt(issued: 1_795_248_000, expires: 1_795_248_000 + life)
        var host = VirtualHost(Self.exec) { _, _ in (0, .token(TestToken.value(token))) }
        host.call()
        host.run(0)
        let unserved = host.run(.seconds(life - 0.001), callingEvery: .seconds(life / 100))
        #expect(unserved == 0)
        #expect(host.snapshot?.mints == 1)
        #expect(host.asked.count <= 14)
        let before = host.asked.count
        host.run(.seconds(3600), callingEvery: .seconds(1))
        #expect(!host.isUsable)
        #expect(host.asked.count - before <= 200)
        #expect(host.snapshot?.failure?.kind == .expired)
        expectSound(host)
    }

    @Test func `a metadata server's cache that renews late is met in time`() {
        // An hour's token, the same for everybody until five minutes before its end.
        var host = VirtualHost(Self.exec) { _, now in
            let second = now.wall / 1_000_000_000
            let issued = (second + 300) / 3600 * 3600 - 300
            return (
                10_000_000,
                .token(TestToken.value(TestToken.jwt(issued: Double(issued), expires: Double(issued + 3900))))
            )
        }
        host.call()
        host.run(.seconds(1))
        let unserved = host.run(.seconds(86_400), callingEvery: .seconds(7))
        #expect(unserved == 0)
        #expect((host.snapshot?.mints ?? 0) <= 26)
        #expect(host.asked.count <= 24 * 10)
        expectSound(host)
    }

    @Test func `an opaque token that a command confirms lives on under its generation`() {
        var spec = Self.exec
        spec.maxAge = .seconds(600)
        var host = VirtualHost(spec) { _, _ in (1_000_000, .token(TestToken.value("opaque"))) }
        host.call()
        host.run(.seconds(1))
        let unserved = host.run(.seconds(86_400), callingEvery: .seconds(10))
        #expect(unserved == 0)
        #expect(host.snapshot?.mints == 1)
        #expect(host.snapshot?.generation == 1)
        #expect(host.asked.count <= 144 * 3 / 2 + 40)
        #expect(host.snapshot?.failure == nil)
        expectSound(host)
    }

    @Test func `a token already expired is no success and says how the clock stands`() throws {
        var host = VirtualHost(Self.exec) { _, now in
            let wall = Double(now.wall / 1_000_000_000)
            return (
                0,
                .token(
                    TestToken.value(
                        TestToken.jwt(issued: wall - 7200, expires: wall - 3600), issuerWall: now.wall - .seconds(7200))
                )
            )
        }
        host.run(.seconds(600), callingEvery: .seconds(1))
        #expect(!host.isUsable)
        let failure = try #require(host.snapshot?.failure)
        #expect(failure.kind == .expired)
        #expect(failure.message.contains("expired 60 min ago"))
        #expect(failure.message.contains("this host's clock is 2 h ahead of the issuer's (Date)"))
        #expect(host.asked.count <= 45)
    }

    @Test func `of two tokens the one that lives longer is kept`() {
        var host = VirtualHost(Self.exec) { count, now in
            let wall = Double(now.wall / 1_000_000_000)
            return (0, .token(TestToken.value(TestToken.jwt(expires: wall + (count == 2 ? 30 : 300), serial: count))))
        }
        host.call()
        while host.asked.count < 2 { host.run(.seconds(1), callingEvery: .seconds(1)) }
        #expect(host.snapshot?.generation == 1)
        let unserved = host.run(.seconds(270), callingEvery: .seconds(1))
        #expect(unserved == 0)
        #expect((2...3).contains(host.snapshot?.generation ?? 0))
        expectSound(host)
    }

    @Test func `a token that begins later waits its turn while the old one serves`() {
        var host = VirtualHost(Self.exec) { count, now in
            let wall = Double(now.wall / 1_000_000_000)
            let begins = count == 1 ? wall : wall + 40
            return (
                0, .token(TestToken.value(TestToken.jwt(notBefore: begins, expires: wall + 300, serial: count)))
            )
        }
        host.call()
        host.run(0)
        let unserved = host.run(.seconds(1000), callingEvery: .seconds(1))
        #expect(unserved == 0)
        #expect((host.snapshot?.generation ?? 0) >= 4)
        #expect((host.snapshot?.mints ?? 0) <= 7)
        expectSound(host)
    }

    // MARK: Files

    @Test func `a replaced key is read at once, and a burst of changes is not a storm`() {
        let box = Box("key-1")
        var host = VirtualHost(Self.key) { _, _ in (1_000_000, .token(TestToken.value(box.value))) }
        host.call()
        host.run(.seconds(3600))
        #expect(host.asked.count == 1)
        box.value = "key-2"
        host.send(.sourceChanged)
        host.run(.seconds(0.2))
        #expect(host.value == "key-2")
        #expect(host.snapshot?.generation == 2)
        for _ in 0..<1000 {
            host.send(.sourceChanged)
            host.run(.seconds(0.001))
        }
        host.run(.seconds(1))
        #expect(host.asked.count <= 14)
        expectSound(host)
    }

    @Test func `a change during a read is read again`() {
        let box = Box("key-1")
        var host = VirtualHost(Self.key) { _, _ in (1_000_000_000, .token(TestToken.value(box.value))) }
        host.call()
        host.run(.seconds(0.5))
        box.value = "key-2"
        host.send(.sourceChanged)
        host.run(.seconds(10))
        #expect(host.value == "key-2")
        #expect(host.asked.count == 2)
    }

    @Test func `a key file emptied for a moment keeps the key, and the new one comes by itself`() {
        let box = Box("key-1")
        var host = VirtualHost(Self.key) { _, _ in
            box.value.isEmpty
                ? (0, .failure(CredentialFailure(.empty, "empty"))) : (0, .token(TestToken.value(box.value)))
        }
        host.call()
        host.run(.seconds(10))
        box.value = ""
        host.send(.sourceChanged)
        host.run(.seconds(10))
        #expect(host.value == "key-1" && host.isUsable)
        #expect(host.snapshot?.failure?.kind == .empty)
        box.value = "key-2"
        host.run(.seconds(61))
        #expect(host.value == "key-2")
        #expect(host.snapshot?.failure == nil)
        expectSound(host)
    }

    /// Its own file, or one that a command or a request is made of.
    @Test(arguments: [CredentialMachineTests.file, CredentialMachineTests.exec])
    func `a file may be replaced by what gives a token that ends sooner`(_ spec: CredentialSpec) {
        let box = Box(TestToken.jwt(expires: 1_795_248_000 + 3600))
        var host = VirtualHost(spec) { _, _ in (0, .token(TestToken.value(box.value))) }
        host.call()
        host.run(.seconds(10))
        box.value = TestToken.jwt(expires: 1_795_248_000 + 600)
        host.send(.sourceChanged)
        host.run(.seconds(1))
        #expect(host.value == box.value)
    }

    @Test func `a projected token is met after the kubelet has replaced it, without a word of failure`() {
        // Replaced at 80 % of an hour; no watcher tells.
        var host = VirtualHost(Self.file) { _, now in
            let second = now.wall / 1_000_000_000
            let issued = second / 2880 * 2880
            return (0, .token(TestToken.value(TestToken.jwt(issued: Double(issued), expires: Double(issued + 3600)))))
        }
        host.call()
        host.run(0)
        let unserved = host.run(.seconds(86_400), callingEvery: .seconds(5))
        #expect(unserved == 0)
        #expect(!host.changes.contains { if case .failing = $0 { true } else { false } })
    }

    // MARK: Small things

    @Test func `the same events on the same seed give the same life`() {
        func life(_ seed: UInt64) -> [Int64] {
            var host = VirtualHost(Self.exec, seed: seed, source: Self.minting(300))
            host.run(.seconds(3600), callingEvery: .seconds(1))
            return host.asked
        }
        #expect(life(7) == life(7))
        #expect(life(7) != life(8))
    }

    @Test func `a use of a fresh token publishes nothing and sets no timer`() {
        var host = VirtualHost(Self.exec, source: Self.minting(3600))
        host.call()
        host.run(.seconds(1))
        host.call()
        let published = host.published
        for _ in 0..<1000 {
            host.call()
            host.run(1_000_003)
        }
        #expect(host.published == published)
    }

    @Test func `no change shows a secret`() {
        var host = VirtualHost(Self.exec) { count, _ in (0, .token(TestToken.value("hunter2-\(count)"))) }
        host.run(.seconds(2000), callingEvery: .seconds(1))
        host.send(.rejected(generation: host.snapshot?.generation ?? 0))
        host.run(.seconds(10))
        var text = ""
        dump(host.machine, to: &text)
        dump(host.snapshot, to: &text)
        dump(host.changes, to: &text)
        #expect(!text.contains("hunter2"))
        #expect(text.contains("token"))
    }
}

/// Something a source's closure and the test both see.
final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}
