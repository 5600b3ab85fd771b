// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct SealedStoreTests {
    private let folder = ScratchFolder()
    private let now = HostTime(wall: VirtualHost.epoch, boot: .seconds(5000))
    private let spec = CredentialSpec(
        name: "token",
        source: .exec(ExecSpec(command: ["issue"], environment: ["A": .literal("1"), "B": .literal("2")])))

    private func store(
        key: String = "0123456789abcdef0123456789abcdef", boot: String = "boot-1", state: String = "state"
    ) -> SealedStore {
        SealedStore(
            folder: folder.path(state), place: .file(path: folder.write(key, to: "key")), bootID: boot)
    }

    private func credential(life: Double = 3600, text: String = "marker-kept-value") throws -> Credential {
        try Credential(
            TestToken.value(text, expiry: .after(.seconds(life))), as: spec, generation: 7, at: now,
            policy: RenewalPolicy(), jitter: 0)
    }

    private var path: String { folder.path("state/token.sealed") }

    private func bytes() throws -> [UInt8] {
        Array(TestToken.bytes(try Secret(contentsOf: path, limitBytes: 1 << 20)))
    }

    private func refusal(_ store: SealedStore, at now: HostTime, _ spec: CredentialSpec? = nil) async -> String {
        do {
            let value = try await store.load(spec ?? self.spec, at: now)
            return value == nil ? "nothing" : "a value"
        } catch { return error.message }
    }

    private func complaint(_ store: SealedStore, _ credential: Credential) async -> String {
        do {
            try await store.save(credential, spec, at: now)
            return "kept"
        } catch { return error.message }
    }

    private func overwrite(_ bytes: [UInt8]) throws {
        try AtomicFile.write(bytes.span, to: path)
    }

    @Test func `a value comes back with what is left of its life`() async throws {
        try await store().save(credential(), spec, at: now)
        let later = HostTime(wall: now.wall + .seconds(600), boot: .seconds(30))
        let loaded = try await store(boot: "boot-2").load(spec, at: later)
        let value = try #require(loaded)
        #expect(TestToken.text(value.secret) == "marker-kept-value")
        #expect(value.expiry == .after(.seconds(3000)))
    }

    @Test func `nothing is kept at first, and that is no news`() async {
        #expect(await refusal(store(), at: now) == "nothing")
    }

    @Test func `the file is the agent's alone and shows nothing of the value`() async throws {
        try await store().save(credential(), spec, at: now)
        var status = stat()
        #expect(unsafe stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(unsafe stat(folder.path("state"), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(!String(decoding: try bytes(), as: UTF8.self).contains("marker"))
        #expect(unsafe access(path + ".new", F_OK) != 0)
    }

    @Test func `a file cut at any byte, or with any byte changed, is ignored with a word`() async throws {
        try await store().save(credential(text: "t"), spec, at: now)
        let whole = try bytes()
        for index in whole.indices {
            try overwrite(Array(whole[..<index]))
            #expect(await refusal(store(), at: now).hasPrefix("the kept value is ignored: "))
            var changed = whole
            changed[index] ^= 0x20
            try overwrite(changed)
            #expect(await refusal(store(), at: now).hasPrefix("the kept value is ignored: "))
        }
        try overwrite(whole)
        #expect(await refusal(store(), at: now) == "a value")
    }

    @Test func `a file of another key, name or source is ignored with a word`() async throws {
        try await store().save(credential(), spec, at: now)
        let foreign = "is torn, or from another key or configuration"
        #expect(await refusal(store(key: "another key of thirty-two bytes.."), at: now).contains(foreign))
        var other = CredentialSpec(name: "token", source: .exec(ExecSpec(command: ["issue", "--audience=b"])))
        #expect(await refusal(store(), at: now, other).contains(foreign))
        other = CredentialSpec(name: "other", source: spec.source)
        #expect(unsafe rename(path, folder.path("state/other.sealed")) == 0)
        #expect(await refusal(store(), at: now, other).contains(foreign))
    }

    @Test(arguments: [
        // Ended by the wall clock, after a restart of the host.
        (3600.0, -4000.0, "boot-2", "it ended 0 ms ago"),
        (7200, -4000, "boot-2", "it ended 60 min ago"),
        // The wall clock was set back within one boot: the boot clock knows.
        (10, 3700, "boot-1", "it ended 100 s ago"),
        // 1970, or set back, in another boot: nobody knows.
        (-1_795_248_000, -4000, "boot-2", "ahead of this host's clock"),
        (-3600, -4000, "boot-2", "it was written 60 min ahead"),
    ])
    func `a value that has ended, or may have, is never loaded`(
        _ wall: Double, _ boot: Double, _ bootID: String, _ reason: String
    ) async throws {
        try await store().save(credential(), spec, at: now)
        let later = HostTime(wall: now.wall + .seconds(wall), boot: now.boot + .seconds(boot))
        let message = await refusal(store(boot: bootID), at: later)
        #expect(message.contains(reason), "\(message)")
    }

    /// A file that another version wrote, or that was written while the clock stood anywhere.
    @Test(arguments: [Int64.min, .min + 1, -1, 0, 1, VirtualHost.epoch, .max - 1, .max])
    func `no moment in a kept value ends the agent, or is taken for a life`(_ moment: Int64) {
        let moments = [Int64.min, .min + 1, -1, 0, 1, VirtualHost.epoch, .max - 1, .max]
        for now in [
            now, HostTime(wall: .min, boot: .min), HostTime(wall: .max, boot: .max), HostTime(wall: 0, boot: 0),
        ] {
            for endWall in moments {
                for endBoot in moments {
                    let text = "\(moment)\n\(moment)\n\(endWall)\n\(endBoot)\nboot-1\nvalue"
                    guard let kept = KeptValue(text.utf8.span) else {
                        Issue.record("\(text)")
                        continue
                    }
                    guard let value = try? kept.value(at: now, bootID: "boot-1") else { continue }
                    #expect(endWall > now.wall && endBoot > now.boot)
                    // What the machine makes of it.
                    _ = try? Credential(
                        value, as: spec, generation: 1, at: now, policy: RenewalPolicy(), jitter: 0.5)
                }
            }
        }
        let isTaken = KeptValue("\(moment)\n0\n0\n9223372036854775808\nboot-1\nvalue".utf8.span) != nil
        #expect(!isTaken)
    }

    @Test func `a value kept and read at the ends of the clocks does no harm`() async throws {
        let credential = try credential()
        let ends = [Int64.min, -1, 0, .max].map { HostTime(wall: $0, boot: $0) }
        for written in ends {
            try await store().save(credential, spec, at: written)
            for read in ends { _ = await refusal(store(), at: read) }
        }
    }

    @Test func `a refresh token has a file of its own, which is no value and has no end`() async throws {
        let token = TestToken.secret("marker-refresh")
        try await store().saveRefresh(token, spec)
        let kept = try await store(boot: "boot-9").loadRefresh(spec)
        #expect(kept.map { TestToken.text($0) } == "marker-refresh")
        #expect(await refusal(store(), at: now) == "nothing")
        // Neither passes for the other.
        let file = folder.path("state/token.refresh-sealed")
        #expect(unsafe rename(file, path) == 0)
        #expect(await refusal(store(), at: now).contains("is torn, or from another key or configuration"))
        #expect(unsafe rename(path, file) == 0)
        try await store().saveRefresh(nil, spec)
        #expect(unsafe access(file, F_OK) != 0)
        try await store().saveRefresh(nil, spec)
        let none = try await store().loadRefresh(spec)
        #expect(none == nil)
    }

    @Test func `a crash while writing leaves the old file, and the next write goes through`() async throws {
        try await store().save(credential(text: "old"), spec, at: now)
        folder.write("half of someth", to: "state/token.sealed.new")
        #expect(await refusal(store(), at: now) == "a value")
        try await store().save(credential(text: "new"), spec, at: now)
        let loaded = try await store().load(spec, at: now)
        #expect(loaded.map { TestToken.text($0.secret) } == "new")
    }

    @Test func `without a good key, or a folder to write to, the log says what to do`() async throws {
        let credential = try credential()
        let short = await complaint(store(key: "short"), credential)
        #expect(short.contains("is 5 bytes long, and a key 32 at least; write it from /dev/urandom"))
        let missing = SealedStore(
            folder: folder.path("state"), place: .file(path: folder.path("nowhere")), bootID: "")
        #expect(await complaint(missing, credential).hasPrefix("cache: \"state\" needs a key: file "))
        folder.write("", to: "file")
        let unwritable = await complaint(store(state: "file/state"), credential)
        #expect(unwritable.contains("see that the agent may write there"), "\(unwritable)")
    }

    @Test func `the text a file is bound to does not depend on the order of variables`() {
        func text(_ keys: [String]) -> String {
            var environment: [String: ValueSpec] = [:]
            for key in keys { environment[key] = .literal(key) }
            var text = ""
            CanonicalText.append(SourceSpec.exec(ExecSpec(command: ["x"], environment: environment)), to: &text)
            return text
        }
        let names = (0..<50).map { "V\($0)" }
        #expect(text(names) == text(names.reversed()))
        #expect(text(names) != text(Array(names.dropLast())))
    }
}
