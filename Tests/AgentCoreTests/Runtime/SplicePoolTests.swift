// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// The pipes of a loop: few, empty, and none where the kernel gives none.
@Suite struct SplicePoolTests {
    private typealias Pipes = OwnedList<OwnedBox<SplicePipe>>

    private static func taken(from pool: SplicePool, atMost limit: Int = .max) -> Pipes {
        var taken = Pipes()
        while taken.count < limit, let pipe = pool.take(at: 0) { taken.append(pipe) }
        return taken
    }

    @Test func `there are so many pipes at once and no more, and one given back goes to the next`() async throws {
        let counts = try await LoopActor.with { _, loop, _ in
            var pipes = Self.taken(from: loop.pipes)
            let most = pipes.count
            if let pipe = pipes.popLast() { loop.pipes.give(pipe) }
            return [most, Self.taken(from: loop.pipes).count, loop.pipes.openCount]
        }
        // The last was dropped with the list it came in.
        #expect(counts == [SplicePool.limit, 1, SplicePool.limit - 1])
    }

    @Test func `of idle pipes few are kept, and none when all are to go`() async throws {
        let counts = try await LoopActor.with { _, loop, _ in
            var pipes = Self.taken(from: loop.pipes, atMost: 10)
            while let pipe = pipes.popLast() { loop.pipes.give(pipe) }
            let kept = loop.pipes.openCount
            loop.pipes.releaseAll()
            return [kept, loop.pipes.openCount]
        }
        #expect(counts == [SplicePool.idleLimit, 0])
    }

    @Test func `a pipe with bytes in it is closed, and never goes to another body`() async throws {
        let counts = try await LoopActor.with { _, loop, _ in
            guard var pipe = loop.pipes.take(at: 0), unsafe write(pipe.value.writeEnd.raw, "x", 1) == 1 else {
                return [-1]
            }
            pipe.value.filled(1)
            loop.pipes.give(pipe)
            return [loop.pipes.openCount]
        }
        #expect(counts == [0])
    }

    @Test func `what is in a pipe can be taken out by copying`() async throws {
        let text = try await LoopActor.with { _, loop, _ in
            guard var pipe = loop.pipes.take(at: 0), unsafe write(pipe.value.writeEnd.raw, "the rest", 8) == 8 else {
                return "no pipe"
            }
            pipe.value.filled(8)
            pipe.value.emptied(0)
            var buffer = ByteBuffer()
            buffer.append("before ")
            try pipe.value.drain(into: &buffer)
            return String(decoding: (0..<buffer.count).map { buffer[$0] }, as: UTF8.self) + " \(pipe.value.count)"
        }
        #expect(text == "before the rest 0")
    }

    @Test func `where splicing was refused there is no pipe any more`() async throws {
        let seen = try await LoopActor.with { _, loop, _ in
            let pool = loop.pipes
            if let early = pool.take(at: 0) { pool.give(early) }
            let before = pool.openCount
            pool.refuse()
            return [before, pool.openCount, pool.take(at: .max) == nil ? 1 : 0]
        }
        #expect(seen == [1, 0, 1])
    }

    @Test func `without descriptors there is no pipe for a while, and then again`() async {
        await #expect(processExitsWith: .success) {
            let seen = try await LoopActor.with { _, loop, _ in
                var limit = rlimit(rlim_cur: 256, rlim_max: 256)
                unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                var rest: [Int32] = []
                while true {
                    let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
                    if descriptor < 0 { break }
                    rest.append(descriptor)
                }
                let none = loop.pipes.take(at: 0) == nil
                for descriptor in rest { close(descriptor) }
                // A body that goes on is asked about at every block: not a system call each time.
                let still = loop.pipes.take(at: SplicePool.pause - 1) == nil
                return [none, still, loop.pipes.take(at: SplicePool.pause) != nil]
            }
            try #require(seen == [true, true, true], "\(seen)")
        }
    }
}
