// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// A token endpoint of RFC 6749 that gives a new refresh token at each use of the old one, and ends the login of whoever
/// shows an old one again (RFC 9700 §4.14.2).
final class RotatingIssuer: EmbeddedHandler {
    let server: EmbeddedServer
    private let state = Mutex(State())

    struct State {
        /// The refresh token that is good; nil: nobody is logged in.
        var current: String?
        var logins = 0
        var refreshes = 0
        /// Refresh tokens that were shown a second time.
        var reuses = 0
        var rotates = true
        /// The status and error to refuse the next refresh with.
        var refusal: (status: Int, error: String)?
        /// What is put behind `refresh-1`, `refresh-2`…
        var suffix = ""
        /// Yields when a refresh has been exchanged; its answer then waits for the other.
        var gate: (arrived: AsyncStream<Void>.Continuation, open: AsyncStream<Void>)?
    }

    static func start() async throws -> RotatingIssuer {
        let issuer = RotatingIssuer(server: try EmbeddedServer(named: "rotating"))
        try await issuer.server.start(issuer)
        return issuer
    }

    private init(server: EmbeddedServer) {
        self.server = server
    }

    var facts: State { state.withLock { $0 } }

    func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    func serve(_ call: EmbeddedCall) async throws(EmbeddedCall.Abandoned) {
        let form = Self.form(try await call.body())
        var gate: (arrived: AsyncStream<Void>.Continuation, open: AsyncStream<Void>)?
        let answer = state.withLock { state -> (Int, JSONValue) in
            switch form["grant_type"] {
            case "code":
                state.logins += 1
            case "refresh_token":
                if let refusal = state.refusal {
                    state.refusal = nil
                    return (refusal.status, ["error": .string(refusal.error), "error_description": "of the test"])
                }
                guard let shown = form["refresh_token"], shown == state.current else {
                    state.reuses += 1
                    state.current = nil
                    let shown = form["refresh_token"] ?? ""
                    return (400, ["error": "invalid_grant", "error_description": .string("\(shown) was used before")])
                }
                state.refreshes += 1
                (gate, state.gate) = (state.gate, nil)
                if !state.rotates {
                    return (200, ["access_token": .string("b-\(state.refreshes)"), "expires_in": 300])
                }
            default: return (400, ["error": "unsupported_grant_type"])
            }
            let number = state.logins + state.refreshes
            let refresh = "refresh-\(number)\(state.suffix)"
            state.current = refresh
            return (
                200,
                ["access_token": .string("a-\(number)"), "refresh_token": .string(refresh), "expires_in": 300]
            )
        }
        if let gate {
            gate.arrived.yield()
            for await _ in gate.open { break }
        }
        try await call.answer(answer.0, json: answer.1)
    }

    /// The next exchange stands still between its effect and its answer.
    ///
    /// - Returns: what yields when it does, and what lets it go on.
    func holdNextRefresh() -> (arrivals: AsyncStream<Void>, open: AsyncStream<Void>.Continuation) {
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        let (opens, open) = AsyncStream<Void>.makeStream()
        change { $0.gate = (arrived, opens) }
        return (arrivals, open)
    }

    private static func form(_ bytes: [UInt8]) -> [String: String] {
        var form: [String: String] = [:]
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            form[text(parts[0])] = parts.count > 1 ? text(parts[1]) : ""
        }
        return form
    }

    private static func text(_ coded: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = coded
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.popFirst()?.hexadecimalValue,
                let low = rest.popFirst()?.hexadecimalValue
            {
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
