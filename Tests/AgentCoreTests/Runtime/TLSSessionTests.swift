// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct TLSSessionTests {
    let world: TLSWorld

    init() throws {
        world = try TLSWorld()
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3], SignatureAlgorithm.allCases)
    func `bytes cross in both directions`(version: TLSVersion, algorithm: SignatureAlgorithm) throws {
        let server = try world.server(maximumVersion: version, algorithm: algorithm)
        let pair = try TLSPair(client: world.client(), server: server)
        try pair.handshake()
        #expect(pair.client?.version == (version == .v1_2 ? "TLSv1.2" : "TLSv1.3"))
        #expect(pair.client?.cipher?.isEmpty == false)
        #expect(pair.client?.applicationProtocol == "http/1.1")
        let large = RandomBytes.make(1_000_000)
        #expect(try pair.send(large, from: pair.client, to: pair.server) == large)
        #expect(try pair.send(large, from: pair.server, to: pair.client) == large)
        #expect(OpenSSLErrors.isEmpty)
    }

    @Test func `what does not fit the reader's buffer is pending`() throws {
        let pair = try TLSPair(client: world.client(), server: world.server())
        try pair.handshake()
        _ = try pair.send([1], from: pair.client, to: pair.server)
        let message = Array("0123456789".utf8)
        _ = try unsafe message.withUnsafeBytes { bytes throws(TLSFailure) in unsafe try pair.server?.write(bytes) }
        #expect(try pair.read(on: pair.client, limit: 4).bytes == Array("0123".utf8))
        #expect(pair.client?.hasPending == true)
        #expect(try pair.client?.readSome().1 == Array("456789".utf8))
        #expect(pair.client?.hasPending == false)
        #expect(try pair.client?.readSome().0 == .wantRead)
    }

    @Test(arguments: [true, false])
    func `an end with close_notify is told from a cut`(clean: Bool) throws {
        let pair = try TLSPair(client: world.client(), server: world.server())
        try pair.handshake()
        _ = try pair.send([1, 2, 3], from: pair.server, to: pair.client)
        if clean { #expect(pair.server?.shutdown() == .done) }
        pair.closeServer()
        #expect(try pair.next(on: pair.client) == .closed(clean: clean))
        #expect(OpenSSLErrors.isEmpty)
    }

    @Test func `after close_notify the other direction still works`() throws {
        let pair = try TLSPair(client: world.client(), server: world.server())
        try pair.handshake()
        #expect(pair.client?.shutdown() == .done)
        #expect(try pair.next(on: pair.server) == .closed(clean: true))
        #expect(try pair.send([7, 8], from: pair.server, to: pair.client) == [7, 8])
    }

    @Test func `a peer that goes away during the handshake is named`() throws {
        let pair = try TLSPair(client: world.client(), server: world.server())
        #expect(try pair.client?.handshake() == .wantRead)
        pair.closeServer()
        let failure = #expect(throws: TLSFailure.self) { try pair.handshake() }
        #expect(failure?.kind == .connection)
        #expect(failure?.description.contains("gateway.example") == true, "\(failure?.description ?? "")")
        #expect(OpenSSLErrors.isEmpty)
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `a second connection to the same host and port resumes the first`(version: TLSVersion) throws {
        let client = try world.client()
        let server = try world.server(maximumVersion: version)
        func connect(port: UInt16) throws -> Bool? {
            let pair = try TLSPair(client: client, server: server, port: port)
            try pair.handshake()
            // TLS 1.3 tickets come after the handshake, with the first data.
            _ = try pair.send([1], from: pair.server, to: pair.client)
            #expect(pair.client?.isResumed == pair.server?.isResumed)
            return pair.client?.isResumed
        }
        #expect(try connect(port: 443) == false)
        #expect(try connect(port: 443) == true)
        #expect(try connect(port: 443) == true)
        #expect(try connect(port: 8443) == false)
    }

    /// The certificate is looked at only without: so what counts is when it was, and not when the last ticket came.
    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `an hour after the certificate was looked at it is looked at again`(version: TLSVersion) throws {
        let client = try world.client()
        let server = try world.server(maximumVersion: version)
        var resumed: [Bool?] = []
        for minute in [0, 25, 50, 59, 61, 62] {
            let pair = try TLSPair(client: client, server: server, at: .seconds(60 * Double(minute)))
            try pair.handshake()
            _ = try pair.send([1], from: pair.server, to: pair.client)
            resumed.append(pair.client?.isResumed)
        }
        #expect(resumed == [false, true, true, true, false, true])
    }

    @Test func `after a failed handshake nothing is resumed`() throws {
        let client = try world.client()
        let good = try world.server()
        let first = try TLSPair(client: client, server: good)
        try first.handshake()
        _ = try first.send([1], from: first.server, to: first.client)
        let expired = try world.server(validity: .init(begins: -100, ends: -10))
        #expect(throws: TLSFailure.self) { try TLSPair(client: client, server: expired).handshake() }
        let third = try TLSPair(client: client, server: good)
        try third.handshake()
        #expect(third.client?.isResumed == false)
    }
}
