// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Dispatch
import Glibc
import Testing

@testable import AgentCore

/// Connections while somebody else does not answer: a name server, a listener.
@Suite(.timeLimit(.minutes(1))) struct JoinedLookUpsTests {
    private static func dial(
        _ endpoint: Endpoint, on loop: EventLoop, _ parker: Parker, within: Int64 = .seconds(20),
        names: JoinedLookUps<Resolver.Question, Result<[SocketAddress], ResolveFailure>> = Resolver.ofThisHost,
        isWanted: @escaping () -> Bool = { true }
    ) async -> String {
        let dialer = Dialer(
            loop: loop, parker: parker, deadline: loop.now + within, names: names, isWanted: isWanted)
        do throws(DialFailure) {
            try await dialer.dial(endpoint).close()
            return "connected"
        } catch {
            return "\(error.code)"
        }
    }

    @Test func `a name server that does not answer takes no thread from files and commands`() async throws {
        let gate = DispatchSemaphore(value: 0)
        let asked = Shared<[String]>([])
        let names = JoinedLookUps<Resolver.Question, Result<[SocketAddress], ResolveFailure>>(limit: 8) { question in
            asked.update { $0.append(question.host) }
            gate.wait()
            gate.signal()
            return .failure(ResolveFailure(host: question.host, reason: "gone"))
        }
        try await LoopActor.with { _, loop, parker in
            for number in 0..<300 {
                let endpoint = Endpoint.host("host-\(number % 100).example", port: 443)
                #expect(await Self.dial(endpoint, on: loop, parker, within: 1, names: names) == "connect-timeout")
            }
        }
        #expect(await EventLoop.offload { 7 } == 7)
        #expect(asked.value.count <= 8)
        // Once it answers, each is asked once, whoever asked for it how often.
        gate.signal()
        let last = await withCheckedContinuation { continuation in
            names.find(.init(host: "last.example", port: 443)) { continuation.resume(returning: $0) }
        }
        #expect(throws: ResolveFailure.self) { try last.get() }
        #expect(Set(asked.value).count == asked.value.count && asked.value.count <= 101)
    }

    @Test func `a listener whose queue is full is waited for`() async throws {
        let folder = ScratchFolder()
        let address = try #require(SocketAddress(unixPath: folder.path("full.sock")))
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        #expect(unsafe address.withSockaddr { unsafe bind(listener, $0, $1) } == 0)
        #expect(listen(listener, 0) == 0)
        try await LoopActor.with { _, loop, parker in
            var queued: [Int32] = []
            defer { for raw in queued { close(raw) } }
            // Until there is no room for one more.
            while true {
                let descriptor = try Socket.stream(family: AF_UNIX)
                guard (try? Socket.connect(descriptor, to: address)) != nil else { break }
                queued.append(descriptor.release())
            }
            #expect(!queued.isEmpty)
            let endpoint = Endpoint.unix(path: folder.path("full.sock"))
            #expect(await Self.dial(endpoint, on: loop, parker, within: .seconds(0.05)) == "connect-timeout")
            let found = await Self.dial(endpoint, on: loop, parker) {
                // Asked when the dialer is about to wait, and when it has: now one of those in the queue leaves it.
                close(accept(listener, nil, nil))
                return true
            }
            #expect(found == "connected")
        }
    }
}
