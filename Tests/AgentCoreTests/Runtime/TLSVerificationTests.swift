// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct TLSVerificationTests {
    let world: TLSWorld

    init() throws {
        world = try TLSWorld()
    }

    private func rejection(_ client: TLSContext, _ server: TLSContext, host: String = "gateway.example") -> TLSFailure?
    {
        let failure = #expect(throws: TLSFailure.self) {
            try TLSPair(client: client, server: server, host: host).handshake()
        }
        #expect(OpenSSLErrors.isEmpty)
        return failure
    }

    private func expect(_ failure: TLSFailure?, _ kind: TLSFailure.Kind, says parts: String...) {
        #expect(failure?.kind == kind)
        for part in parts {
            #expect(failure?.description.contains(part) == true, "\(failure?.description ?? "") lacks \(part)")
        }
    }

    @Test(arguments: [
        (["gateway.example"], "gateway.example"), (["gateway.example"], "gateway.example."),
        (["gateway.example"], "GATEWAY.example"), (["*.gateway.example"], "eu.gateway.example"),
        (["127.0.0.1"], "127.0.0.1"), (["::1"], "0:0:0:0:0:0:0:1"),
    ])
    func `a certificate for the host is accepted`(names: [String], host: String) throws {
        try TLSPair(client: world.client(), server: world.server(names: names), host: host).handshake()
    }

    @Test(arguments: [
        (["other.example"], "gateway.example"), (["*.gateway.example"], "a.eu.gateway.example"),
        (["*.gateway.example"], "gateway.example"), (["e*.gateway.example"], "eu.gateway.example"),
        (["*.example"], "gateway.example"), (["gateway.example"], "127.0.0.1"), (["127.0.0.2"], "127.0.0.1"),
        (["127.0.0.1"], "gateway.example"),
    ])
    func `a certificate for somebody else is refused, and its names are told`(names: [String], host: String) throws {
        let failure = rejection(try world.client(), try world.server(names: names), host: host)
        expect(failure, .certificate, says: "certificate of \(host) is for other names", names[0])
    }

    @Test func `an expired certificate is refused`() throws {
        let server = try world.server(validity: .init(begins: -7200, ends: -3600))
        expect(
            rejection(try world.client(), server), .certificate,
            says: "certificate of gateway.example has expired at ", "GMT", "clock")
    }

    @Test func `a certificate of the future is refused`() throws {
        let server = try world.server(validity: .init(begins: 3600, ends: 7200))
        expect(rejection(try world.client(), server), .certificate, says: "not valid yet")
    }

    @Test func `a certificate of an authority that is not trusted is refused`() throws {
        let stranger = try CertificateAuthority(commonName: "Stranger")
        let failure = rejection(try world.client(), try world.server(from: stranger))
        expect(failure, .certificate, says: "an authority that is not trusted here", "CA file")
    }

    @Test func `the system's trust store does not know our authority, and our file replaces the store`() throws {
        let failure = rejection(try TLSContext(client: TLSConfiguration()), try world.server())
        expect(failure, .certificate, says: "not trusted")
    }

    @Test func `a client's certificate does not make a server`() throws {
        expect(rejection(try world.client(), try world.server(use: .client)), .certificate, says: "purpose")
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `a client certificate that is asked for and missing is said`(version: TLSVersion) throws {
        let server = try world.server(clientAuthorities: world.authority.certificate.pem, maximumVersion: version)
        let pair = try TLSPair(client: world.client(), server: server)
        #expect(throws: TLSFailure.self) { try pair.handshake() }
        // With TLS 1.3 the client learns of it after its handshake, from its first read.
        let failure =
            version == .v1_3
            ? #expect(throws: TLSFailure.self) { try pair.next(on: pair.client) }
            : #expect(throws: TLSFailure.self) { try pair.client?.handshake() }
        if version == .v1_3 {
            expect(failure, .negotiation, says: "gateway.example asks for a client certificate")
        }
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `a client certificate is shown when it is asked for`(version: TLSVersion) throws {
        let server = try world.server(clientAuthorities: world.authority.certificate.pem, maximumVersion: version)
        var configuration = world.clientConfiguration
        configuration.clientCertificate = try world.clientIdentity()
        let pair = try TLSPair(client: TLSContext(client: configuration), server: server)
        try pair.handshake()
        #expect(try pair.send([1, 2], from: pair.server, to: pair.client) == [1, 2])
    }

    @Test func `a client certificate of a stranger is refused by the server`() throws {
        let stranger = try CertificateAuthority(commonName: "Stranger")
        let server = try world.server(clientAuthorities: world.authority.certificate.pem)
        var configuration = world.clientConfiguration
        configuration.clientCertificate = try world.clientIdentity(from: stranger)
        let pair = try TLSPair(client: TLSContext(client: configuration), server: server)
        #expect(throws: TLSFailure.self) { try pair.handshake() }
        let failure = #expect(throws: TLSFailure.self) { try pair.next(on: pair.client) }
        expect(failure, .negotiation, says: "gateway.example refused the TLS connection", "unknown ca")
    }

    @Test(arguments: ["", ".", "gateway.example\0.evil", "gateway example", "gäteway.example"])
    func `a host that cannot be checked is no host`(host: String) throws {
        let client = try world.client()
        let failure = #expect(throws: TLSFailure.self) {
            try TLSSession(client: client, host: host, port: 443, descriptor: 0)
        }
        #expect(failure?.kind == .configuration)
    }
}
