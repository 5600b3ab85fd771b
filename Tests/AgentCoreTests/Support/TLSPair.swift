// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// A client and a server that speak TLS over one TCP connection on the loopback, driven by turns on one thread.
final class TLSPair {
    var client: TLSSession?
    var server: TLSSession?
    private var clientDescriptor: Int32
    private var serverDescriptor: Int32

    /// - Parameter now: of the client's boot clock.
    init(
        client: TLSContext, server: TLSContext, host: String = "gateway.example", port: UInt16 = 443, at now: Int64 = 0
    ) throws {
        signal(SIGPIPE, SIG_IGN)
        (clientDescriptor, serverDescriptor) = Self.connectedPair()
        self.client = try TLSSession(client: client, host: host, port: port, descriptor: clientDescriptor, at: now)
        self.server = try TLSSession(server: server, descriptor: serverDescriptor)
    }

    deinit {
        closeClient()
        closeServer()
    }

    /// Cuts the connection without close_notify.
    func closeClient() {
        client = nil
        if clientDescriptor >= 0 { close(clientDescriptor) }
        clientDescriptor = -1
    }

    func closeServer() {
        server = nil
        if serverDescriptor >= 0 { close(serverDescriptor) }
        serverDescriptor = -1
    }

    /// Brings both handshakes to their end; the first failure is thrown, the client's before the server's.
    func handshake() throws(TLSFailure) {
        var clientDone = false
        var serverDone = false
        var serverFailure: TLSFailure?
        while !clientDone || !serverDone {
            if !clientDone, let client { clientDone = try client.handshake() == .done }
            if !serverDone, serverFailure == nil {
                do { serverDone = try server?.handshake() == .done } catch { serverFailure = error }
            }
            if let serverFailure, clientDone { throw serverFailure }
            if !clientDone || !serverDone { awaitReadability() }
        }
    }

    /// Sends from one side and returns what the other has read, once `count` bytes or the end are there.
    func send(_ bytes: [UInt8], from sender: TLSSession?, to receiver: TLSSession?) throws -> [UInt8] {
        guard let sender, let receiver else { return [] }
        var sent = 0
        var received: [UInt8] = []
        while received.count < bytes.count {
            if sent < bytes.count {
                let result = try unsafe bytes.withUnsafeBytes { bytes throws(TLSFailure) in
                    unsafe try sender.write(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                }
                if case .bytes(let count) = result { sent += count }
            }
            switch try receiver.readSome() {
            case (.bytes, let some): received += some
            case (.closed, _): return received
            default: awaitReadability()
            }
        }
        return received
    }

    /// Reads once there is a result that is not "come again".
    func read(on session: TLSSession?, limit: Int = 65_536) throws(TLSFailure) -> (result: TLSResult?, bytes: [UInt8]) {
        guard let session else { return (nil, []) }
        while true {
            let (result, bytes) = try session.readSome(limit: limit)
            guard result == .wantRead else { return (result, bytes) }
            awaitReadability()
        }
    }

    func next(on session: TLSSession?) throws(TLSFailure) -> TLSResult? {
        try read(on: session).result
    }

    private func awaitReadability() {
        var waits = [clientDescriptor, serverDescriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = unsafe poll(&waits, 2, 5_000)
    }

    private static func connectedPair() -> (Int32, Int32) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(unsafe bind(listener, address, length) == 0)
                precondition(unsafe getsockname(listener, address, &length) == 0)
                precondition(listen(listener, 1) == 0)
                precondition(unsafe connect(client, address, length) == 0)
            }
        }
        let server = accept(listener, nil, nil)
        precondition(server >= 0)
        for descriptor in [client, server] { precondition(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0) }
        return (client, server)
    }
}

extension TLSSession {
    func readSome(limit: Int = 65_536) throws(TLSFailure) -> (TLSResult, [UInt8]) {
        var buffer = ByteBuffer(capacity: limit)
        var result = TLSResult.wantRead
        _ = try unsafe buffer.fill { memory throws(TLSFailure) in
            result = try unsafe read(into: UnsafeMutableRawBufferPointer(rebasing: memory.prefix(limit)))
            return if case .bytes(let count) = result { count } else { 0 }
        }
        return (result, (0..<buffer.count).map { buffer[$0] })
    }
}

/// The certificates of the TLS tests: one authority, trusted by `clientConfiguration`, and servers that it vouches for.
final class TLSWorld: Sendable {
    let folder = ScratchFolder()
    let authority: CertificateAuthority
    let authorityFile: String

    init() throws {
        authority = try CertificateAuthority(commonName: "Test authority")
        authorityFile = folder.write(authority.certificate.pem, to: "ca.pem")
    }

    var clientConfiguration: TLSConfiguration { TLSConfiguration(authorityFile: authorityFile) }

    func client() throws -> TLSContext { try TLSContext(client: clientConfiguration) }

    func server(
        names: [String] = ["gateway.example", "127.0.0.1", "::1"],
        validity: CertificateAuthority.Validity = .init(), clientAuthorities: String? = nil,
        maximumVersion: TLSVersion = .v1_3, from authority: CertificateAuthority? = nil,
        use: CertificateAuthority.Use = .server, algorithm: SignatureAlgorithm = .es256
    ) throws -> TLSContext {
        let identity = try (authority ?? self.authority).issue(
            names: names, use: use, validity: validity, algorithm: algorithm)
        return try TLSContext(
            server: TLSServerConfiguration(
                certificateChain: identity.certificate.pem, key: identity.keyPEM(),
                clientAuthorities: clientAuthorities, maximumVersion: maximumVersion))
    }

    /// A client certificate in files.
    func clientIdentity(from authority: CertificateAuthority? = nil) throws -> TLSConfiguration.ClientCertificate {
        let identity = try (authority ?? self.authority).issue(names: ["runner-7"], use: .client)
        return TLSConfiguration.ClientCertificate(
            certificateFile: folder.write(identity.certificate.pem, to: "client.pem"),
            keyFile: folder.write(String(decoding: try identity.keyPEM().exposed, as: UTF8.self), to: "client.key"))
    }
}
