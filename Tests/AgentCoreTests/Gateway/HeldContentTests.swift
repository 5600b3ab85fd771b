// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct HeldContentTests {
    @Test func `requests keep no more together than their loop's share, and give it back`() async throws {
        try await LoopActor.with { _, loop, _ in
            let share = HeldContent()
            let piece = [UInt8](repeating: 1, count: HeldContent.limit / 2)
            var first = HeldRequest(share)
            var second = HeldRequest(share)
            first.begin(loop.buffers, bodyLimit: .max)
            second.begin(loop.buffers, bodyLimit: .max)
            first.head.append("GET / HTTP/1.1")
            second.head.append("GET / HTTP/1.1")
            first.append(piece.span)
            second.append([1, 2, 3].span)
            second.append(piece.span)
            let (firstStays, secondStays) = (first.canBeSentAgain, second.canBeSentAgain)
            #expect(firstStays && !secondStays)
            #expect(share.count == piece.count)
            first.release(loop.buffers)
            second.release(loop.buffers)
            #expect(share.count == 0)
        }
    }
}
