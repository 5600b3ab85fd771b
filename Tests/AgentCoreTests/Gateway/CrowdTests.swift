// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// Many callers at once, whose reads and writes are made together.
@Suite struct CrowdTests {
    /// Around what is read ahead and what is put off, and far beyond.
    private static let sizes = [0, 1, 1_900, 2_047, 2_048, 2_049, 5_000, 70_000]

    private static func content(_ caller: Int, _ round: Int) -> String {
        String(String(repeating: "\(caller) in \(round), ", count: 9_000).prefix(sizes[(caller + round) % sizes.count]))
    }

    @Test(arguments: [true, false], [true, false])
    func `everybody gets an answer, and it is their own`(usesRing: Bool, isUnix: Bool) async throws {
        try await withGateway(crowd: .init(events: 0, usesRing: usesRing)) { configuration, _ in
            configuration.threads = 1
        } _: { agent, upstream in
            upstream.serve { wire in
                while true {
                    let head = try wire.head()
                    let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length: ") }
                    let body = try wire.text(Int(length?.dropFirst(16) ?? "") ?? 0)
                    guard head.contains("uthorization: Bearer \(Marker.token)") else {
                        return try wire.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
                    }
                    try wire.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                }
            }
            let callers = try (0..<48).map { _ in isUnix ? try agent.connectUnix() : try agent.connect() }
            for round in 0..<Self.sizes.count {
                for (number, caller) in callers.enumerated() {
                    let content = Self.content(number, round)
                    try caller.send(
                        "POST /api/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(content.utf8.count)\r\n\r\n"
                            + content)
                }
                for (number, caller) in callers.enumerated() {
                    let answer = try caller.answer()
                    try #require(answer.status == 200 && answer.isWhole)
                    try #require(answer.body == Self.content(number, round), "caller \(number) in round \(round)")
                }
            }
            let calls = try agent.get("/-/metrics").body.split(separator: "\n").first {
                $0.hasPrefix("gateway_agent_ring_calls_total ")
            }
            #expect((calls != "gateway_agent_ring_calls_total 0") == (usesRing && permitsRings))
        }
    }
}
