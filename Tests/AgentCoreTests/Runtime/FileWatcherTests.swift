// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct FileWatcherTests {
    /// Watches `path`, makes each change in turn, and waits for a call after each.
    private static func expectCalls(for path: String, _ changes: [@Sendable () -> Void]) async throws {
        try await LoopActor.with { _, loop, parker in
            let watcher = try FileWatcher(on: loop)
            defer { watcher.close() }
            let calls = Counter()
            let watch = try watcher.watch(path) {
                calls.count += 1
                parker.unpark()
            }
            for (number, change) in changes.enumerated() {
                // What is left of the change before.
                try await Self.quiet(loop)
                let before = calls.count
                change()
                let deadline = SystemClock.monotonic() + Int64(Wire.patience) * 1_000_000_000
                while calls.count == before, SystemClock.monotonic() < deadline {
                    _ = await parker.park(until: deadline)
                }
                #expect(calls.count > before, "change \(number) was not seen")
            }
            watcher.cancel(watch)
        }
    }

    /// Lets the loop deliver what the kernel has queued already: inotify queues an event within the call that causes it.
    private static func quiet(_ loop: EventLoop) async throws {
        for _ in 0..<3 { await EventLoop.offload {} }
    }

    final class Counter {
        var count = 0
    }

    @Test func `a write in place, a rename over it, a deletion and a new file are seen`() async throws {
        let folder = ScratchFolder()
        let path = folder.write("one", to: "token")
        try await Self.expectCalls(
            for: path,
            [
                { folder.write("two", to: "token") },
                {
                    folder.write("three", to: "token.new")
                    unsafe rename(folder.path("token.new"), path)
                },
                { unsafe unlink(path) },
                { folder.write("four", to: "token") },
                { unsafe chmod(path, 0o400) },
            ])
    }

    @Test func `kubelet's exchange of ..data is seen, time and again`() async throws {
        let folder = ScratchFolder()
        @Sendable func publish(_ version: String) {
            unsafe mkdir(folder.path("..\(version)"), 0o700)
            folder.write(version, to: "..\(version)/token")
            unsafe symlink("..\(version)", folder.path("..data_tmp"))
            unsafe rename(folder.path("..data_tmp"), folder.path("..data"))
        }
        publish("v1")
        unsafe symlink("..data/token", folder.path("token"))
        try await Self.expectCalls(
            for: folder.path("token"),
            [
                { publish("v2") }, { publish("v3") },
                // The file behind both links.
                { folder.write("v3b", to: "..v3/token") },
            ])
    }

    @Test func `a file in folders that do not exist yet is waited for`() async throws {
        let folder = ScratchFolder()
        try await Self.expectCalls(
            for: folder.path("a/b/token"),
            [
                { unsafe mkdir(folder.path("a"), 0o700) },
                { unsafe mkdir(folder.path("a/b"), 0o700) },
                { folder.write("one", to: "a/b/token") },
                {
                    unsafe unlink(folder.path("a/b/token"))
                    unsafe rmdir(folder.path("a/b"))
                },
                {
                    unsafe mkdir(folder.path("a/b"), 0o700)
                    folder.write("two", to: "a/b/token")
                },
                { folder.write("three", to: "a/b/token") },
            ])
    }

    @Test func `the exchange of the whole folder is seen`() async throws {
        let folder = ScratchFolder()
        unsafe mkdir(folder.path("now"), 0o700)
        unsafe mkdir(folder.path("next"), 0o700)
        folder.write("one", to: "now/token")
        folder.write("two", to: "next/token")
        try await Self.expectCalls(
            for: folder.path("now/token"),
            [
                { unsafe rename(folder.path("now"), folder.path("old")) },
                { unsafe rename(folder.path("next"), folder.path("now")) },
                { folder.write("three", to: "now/token") },
            ])
    }

    @Test func `many changes at once make one call, and other files none`() async throws {
        let folder = ScratchFolder()
        let path = folder.write("one", to: "token")
        try await LoopActor.with { _, loop, parker in
            let watcher = try FileWatcher(on: loop)
            defer { watcher.close() }
            let mine = Counter()
            let other = Counter()
            _ = try watcher.watch(path) { mine.count += 1 }
            let end = try watcher.watch(folder.path("end")) {
                other.count += 1
                parker.unpark()
            }
            // On the loop's own thread: the loop reads the events of all of them together.
            for round in 0..<50 { folder.write("\(round)", to: "token") }
            folder.write("", to: "end")
            while other.count == 0 { _ = await parker.park() }
            #expect(mine.count == 1)
            folder.write("", to: "neighbour")
            watcher.cancel(end)
            try await Self.quiet(loop)
            #expect(mine.count == 1)
            #expect(other.count == 1)
        }
    }

    @Test(arguments: ["relative/token", "", "/a\0b"])
    func `a path that cannot be watched is refused`(path: String) async throws {
        try await LoopActor.with { _, loop, _ in
            let watcher = try FileWatcher(on: loop)
            defer { watcher.close() }
            #expect(throws: SystemError.self) { _ = try watcher.watch(path) {} }
        }
    }

    @Test func `a trail names the links and the last name, and ends at what is missing`() {
        let folder = ScratchFolder()
        unsafe mkdir(folder.path("real"), 0o700)
        unsafe symlink("real", folder.path("link"))
        folder.write("x", to: "real/file")
        unsafe symlink("self", folder.path("self"))
        #expect(
            PathTrail(folder.path("link/./../link/file")).steps.map(\.name) == ["link", "link", "file"])
        #expect(PathTrail(folder.path("link/none/file")).steps.last == .init(folder: folder.path("real"), name: "none"))
        #expect(PathTrail(folder.path("self")).steps.count == PathTrail.linkLimit + 1)
        #expect(PathTrail("/").steps.isEmpty)
    }

    /// As a reload does it: a change that the kernel told of in between is in the name of the folder's watch.
    @Test func `a watch that takes another's place gets what came before that`() async throws {
        let folder = ScratchFolder()
        let path = folder.write("one", to: "token")
        try await LoopActor.with { _, loop, parker in
            let watcher = try FileWatcher(on: loop)
            defer { watcher.close() }
            let former = try watcher.watch(path) {}
            try await Self.quiet(loop)
            folder.write("two", to: "token")
            let calls = Counter()
            let new = try watcher.watch(path) {
                calls.count += 1
                parker.unpark()
            }
            watcher.cancel(former)
            let deadline = SystemClock.monotonic() + Int64(Wire.patience) * 1_000_000_000
            while calls.count == 0, SystemClock.monotonic() < deadline { _ = await parker.park(until: deadline) }
            #expect(calls.count > 0)
            watcher.cancel(new)
        }
    }
}
