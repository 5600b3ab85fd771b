// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// A caller on a loop of its own: of the embedded servers, or of an agent between them.
actor Tool: LoopBound {
    nonisolated let loop: EventLoop
    private let client: EmbeddedClient

    init() throws {
        loop = try EventLoop(name: "tool")
        client = EmbeddedClient(loop: loop)
        try loop.start()
    }

    deinit {
        loop.stop()
    }

    /// One call on a connection of its own.
    func call(
        _ method: String, _ url: String, _ fields: [(String, String)] = [], body: String? = nil,
        onPiece: @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws -> EmbeddedClient.Answer {
        let parsed = try PlainURL(url)
        let url = try #require(parsed)
        let target = url.path + (url.query.map { "?\($0)" } ?? "")
        return try await client.call(
            method, target, at: .host(url.host, port: url.port), fields: fields, body: body.map { Array($0.utf8) },
            onPiece: onPiece)
    }

    /// Sends text as it is, and gives back all that comes until the other end closes, or until `last` has come.
    func raw(
        _ text: String, to url: String, leavingAfter last: String? = nil
    ) async throws -> (text: String, wasCut: Bool) {
        let (bytes, wasCut) = try await raw(Array(text.utf8), to: url, leavingAfter: last)
        return (String(decoding: bytes, as: UTF8.self), wasCut)
    }

    func raw(
        _ bytes: [UInt8], to url: String, leavingAfter last: String? = nil
    ) async throws -> (bytes: [UInt8], wasCut: Bool) {
        let parsed = try PlainURL(url)
        let url = try #require(parsed)
        let parker = Parker(on: loop)
        let dialer = Dialer(loop: loop, parker: parker, deadline: loop.now + 5_000_000_000) { true }
        let channel = try await dialer.dial(.host(url.host, port: url.port))
        defer { channel.close() }
        var output = ByteBuffer()
        output.append(bytes)
        var input = ByteBuffer()
        var received: [UInt8] = []
        let deadline = loop.now + 20_000_000_000
        do {
            while true {
                if !output.isEmpty { _ = try channel.write(from: &output) }
                switch try channel.read(into: &input) {
                case .bytes:
                    received += [UInt8](of: input.readable)
                    input.clear()
                    if let last, String(decoding: received, as: UTF8.self).contains(last) { return (received, false) }
                case .ended: return (received, false)
                case .blocked:
                    if await parker.park(until: deadline) == .timedOut { throw SystemError("park", code: 110) }
                }
            }
        } catch is IOFailure {
            return (received, true)
        }
    }
}

extension Tool {
    /// An issuer for the time of `body`, and a tool to ask it with.
    static func withIssuer<Value: Sendable>(
        life: Duration = .seconds(60), algorithm: SignatureAlgorithm = .rs256,
        _ body: (Tool, EmbeddedIssuer) async throws -> Value
    ) async throws -> Value {
        let issuer = try await EmbeddedIssuer.start(
            audience: "https://gateway.example", life: life, algorithm: algorithm)
        do {
            let value = try await body(try Tool(), issuer)
            await issuer.stop()
            return value
        } catch {
            await issuer.stop()
            throw error
        }
    }

    /// The same with a gateway that trusts the issuer. The API key is `key-of-the-tests`.
    static func withGateway<Value: Sendable>(
        life: Duration = .seconds(60), algorithm: SignatureAlgorithm = .rs256,
        _ body: (Tool, EmbeddedIssuer, EmbeddedGateway) async throws -> Value
    ) async throws -> Value {
        try await withIssuer(life: life, algorithm: algorithm) { tool, issuer in
            let gateway = try await EmbeddedGateway.start(
                issuerURL: issuer.url, audience: issuer.audience,
                key: Secret(copying: "key-of-the-tests".utf8.span), faults: issuer)
            do {
                let value = try await body(tool, issuer, gateway)
                await gateway.stop()
                return value
            } catch {
                await gateway.stop()
                throw error
            }
        }
    }
}

extension EmbeddedIssuer {
    /// What those send who may have a token.
    var permission: (String, String) {
        let token = requestToken.withExposedBytes { String(decoding: [UInt8](of: $0), as: UTF8.self) }
        return ("Authorization", "Bearer \(token)")
    }

    /// Asks as the agent does.
    func ask(
        _ tool: Tool, audience: String? = nil, onPiece: @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws -> EmbeddedClient.Answer {
        try await tool.call(
            "POST", "\(url)/token", [permission, ("Content-Type", "application/json")],
            body: JSONValue.object(["aud": .string(audience ?? self.audience)]).text, onPiece: onPiece)
    }
}
