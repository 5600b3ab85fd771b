// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Connections, TLS and secrets of the source that asks over HTTP.
@Suite(.timeLimit(.minutes(2))) struct HTTPSourceConnectionTests {
    private let world: TLSWorld
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntok-1"

    init() throws {
        world = try TLSWorld()
    }

    private func spec(_ url: String) -> HTTPSourceSpec {
        var spec = HTTPSourceSpec(target: .url(url))
        spec.tls = world.clientConfiguration
        spec.timeLimit = .seconds(20)
        return spec
    }

    private func message(_ spec: HTTPSourceSpec) async throws -> CredentialFailure {
        guard case .failure(let failure) = try await HTTPSourceTests.fetch(spec) else {
            throw CredentialFailure(.unchanged, "it was accepted")
        }
        return failure
    }

    @Test func `TLS is spoken to an issuer whose authority is trusted, twice`() async throws {
        try await ScriptedServer.with([[.request, .send(Self.answer)]], tls: world.server()) { server in
            for _ in 0..<2 {
                let value = try await HTTPSourceTests.fetch(spec("https://127.0.0.1:\(server.port)/")).get()
                #expect(TestToken.text(value.secret) == "tok-1")
            }
        }
    }

    @Test func `an issuer of an unknown authority is not asked`() async throws {
        let stranger = try CertificateAuthority(commonName: "Stranger")
        try await ScriptedServer.with([[.request]], tls: world.server(from: stranger)) { server in
            let failure = try await message(spec("https://127.0.0.1:\(server.port)/"))
            #expect(failure.kind == .unreachable)
            #expect(
                failure.message.hasPrefix(
                    "https://127.0.0.1:\(server.port)/: TLS with 127.0.0.1:\(server.port) failed: certificate of 127.0.0.1"
                        + " comes from an authority that is not trusted here"), "\(failure)")
            #expect(await server.requests.isEmpty)
        }
    }

    @Test func `an issuer whose certificate is for another name is not asked`() async throws {
        try await ScriptedServer.with([[.request]], tls: world.server(names: ["issuer.example"])) { server in
            let failure = try await message(spec("https://127.0.0.1:\(server.port)/"))
            #expect(
                failure
                    == CredentialFailure(
                        .unreachable,
                        "https://127.0.0.1:\(server.port)/: TLS with 127.0.0.1:\(server.port) failed: certificate of"
                            + " 127.0.0.1 is for other names (issuer.example); use one of them in the URL"))
        }
    }

    @Test func `an answer until close that TLS did not end in order is cut`() async throws {
        for script: [ScriptedServer.Step] in [
            [.request, .send("HTTP/1.1 200 OK\r\n\r\ntok-1"), .abort], [.request, .abort],
        ] {
            try await ScriptedServer.with([script], tls: world.server()) { server in
                let failure = try await message(spec("https://127.0.0.1:\(server.port)/"))
                #expect(failure.kind == .unreachable)
                #expect(failure.message.hasPrefix("https://127.0.0.1:\(server.port)/: the connection "), "\(failure)")
                #expect(!failure.message.contains("tok-1"))
            }
        }
        try await ScriptedServer.with(
            [[.request, .send("HTTP/1.1 200 OK\r\n\r\ntok-1")]], tls: world.server()
        ) { server in
            let value = try await HTTPSourceTests.fetch(spec("https://127.0.0.1:\(server.port)/")).get()
            #expect(TestToken.text(value.secret) == "tok-1")
        }
    }

    @Test func `a CA file is read when it is used, and read again when it has changed`() async throws {
        let path = world.folder.path("late.pem")
        try await ScriptedServer.with([[.request, .send(Self.answer)]], tls: world.server()) { server in
            var spec = spec("https://127.0.0.1:\(server.port)/")
            spec.tls = TLSConfiguration(authorityFile: path)
            let missing = try await message(spec)
            #expect(
                missing
                    == CredentialFailure(
                        .unavailable,
                        "https://127.0.0.1:\(server.port)/: CA file \(path): No such file or directory"))
            world.folder.write(try CertificateAuthority(commonName: "Other").certificate.pem, to: "late.pem")
            let other = try await message(spec)
            #expect(other.kind == .unreachable)
            world.folder.write(world.authority.certificate.pem, to: "late.pem")
            let value = try await HTTPSourceTests.fetch(spec).get()
            #expect(TestToken.text(value.secret) == "tok-1")
        }
    }

    /// As one does on a file system that hangs. A read cannot be ended, so there is never more than one.
    @Test func `a file that hangs is read once, however often the source is asked`() async throws {
        let path = world.folder.path("hangs.pem")
        unsafe #expect(mkfifo(path, 0o600) == 0)
        var spec = spec("https://127.0.0.1:1/")
        spec.tls = TLSConfiguration(authorityFile: path)
        spec.timeLimit = .milliseconds(20)
        let request = spec
        try await LoopActor.with { _, loop, _ in
            let source = HTTPSource(spec: request, loop: loop)
            func ask() async -> String {
                do throws(CredentialFailure) {
                    _ = try await source.fetch()
                    return "a token"
                } catch { return error.message }
            }
            let first = await ask()
            #expect(first.contains("the time was over while reading the files of the request"), "\(first)")
            for _ in 0..<3 {
                let message = await ask()
                #expect(message.contains("an earlier reading of the request's files has not come back"), "\(message)")
            }
            // Opens since it is being read, and then it is: it holds nothing.
            close(unsafe open(path, O_WRONLY | O_CLOEXEC))
            unsafe _ = unlink(path)
            var message = await ask()
            while message.contains("an earlier reading") { message = await ask() }
            #expect(message.contains("No such file or directory"), "\(message)")
        }
    }

    @Test func `nobody there, no such name and no such socket each have their sentence`() async throws {
        let reservation = try PortReservation(#require(SocketAddress(ip: "127.0.0.1", port: 0)))
        let port = try #require(reservation.address.port)
        let refused = try await message(spec("http://127.0.0.1:\(port)/t?x"))
        withExtendedLifetime(reservation) {}
        #expect(
            refused
                == CredentialFailure(
                    .unreachable,
                    "http://127.0.0.1:\(port)/t: cannot connect to 127.0.0.1:\(port):"
                        + " Connection refused; see whether it runs and whether this host may reach it"))
        let unresolved = try await message(spec("https://does-not-exist.invalid/"))
        #expect(unresolved.kind == .unreachable)
        #expect(
            unresolved.message.hasPrefix(
                "https://does-not-exist.invalid/: host name \"does-not-exist.invalid\" does not resolve: "))
        #expect(unresolved.message.hasSuffix("; see the name, and this host's resolver"))
        let path = world.folder.path("none.sock")
        #expect(
            try await message(HTTPSourceSpec(target: .unix(socket: path, target: "/x?y")))
                == CredentialFailure(
                    .unreachable,
                    "unix:\(path) /x: cannot connect to unix:\(path): No such file or directory;"
                        + " see whether it runs and whether this host may reach it"))
    }

    @Test func `plain text goes no further than this host and its link`() throws {
        for text in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            #expect(try #require(SocketAddress(ip: text, port: 1)).isLoopback)
        }
        for text in ["169.254.169.254", "fe80::1", "febf::1", "fd00:ec2::254"] {
            #expect(try #require(SocketAddress(ip: text, port: 1)).isLinkLocal)
        }
        for text in ["10.0.0.1", "169.255.0.1", "192.0.2.1", "fec0::1", "fd00:ec3::1", "2001:db8::1"] {
            let address = try #require(SocketAddress(ip: text, port: 1))
            #expect(!address.isLoopback && !address.isLinkLocal)
        }
        #expect(
            "\(ClientCallFailure.exposed(try #require(SocketAddress(ip: "192.0.2.1", port: 80))))"
                == "the name leads to 192.0.2.1:80, which is not this host; write https://,"
                + " or the token could be read on its way")
    }

    @Test(.enabled(if: OwnAddress.found != nil, "this host has no address but the loopback"))
    func `plain text to an address that others can reach is refused before a byte is sent`() async throws {
        let own = try #require(OwnAddress.found)
        let listener = try ListeningSocket(tcp: #require(SocketAddress(ip: own, port: 0)))
        let port = try #require(listener.address.port)
        #expect(
            try await message(spec("http://\(own):\(port)/"))
                == CredentialFailure(
                    .unavailable,
                    "http://\(own):\(port)/: the name leads to \(own):\(port), which is not this host;"
                        + " write https://, or the token could be read on its way"))
    }

    @Test func `a field that would end its line is not sent`() async throws {
        try await ScriptedServer.with([[.request]]) { server in
            for (name, value, sentence) in [
                (
                    "x-key", "hunter2\r\nx: y",
                    "the field x-key would hold a line end or control byte; see where its value comes from"
                ),
                ("Host", "hunter2", "a field of the name \"Host\" cannot be sent; delete it"),
                ("a b", "hunter2", "a field of the name \"a b\" cannot be sent; delete it"),
            ] {
                var spec = spec("http://127.0.0.1:\(server.port)/")
                spec.fields = [.init(name: name, value: Template(parts: [.secret(TestToken.secret(value))]))]
                let failure = try await message(spec)
                #expect(
                    failure
                        == CredentialFailure(.unavailable, "http://127.0.0.1:\(server.port)/: \(sentence)"))
            }
            #expect(await server.requests.isEmpty)
        }
    }

    @Test func `what was sent, or looks like a token, is in no sentence`() async throws {
        let folder = ScratchFolder()
        let file = folder.write("hunter2+file\n", to: "secret")
        let token = TestToken.jwt(expires: 1_900_000_000)
        let said =
            "bad hunter2+file, hunter2%2Bfile, hunter2-inline, \(token), sk-abcdefgh1234 for"
            + "  3f1c8a52-8f4e-4e0c-9d7a-0123456789ab"
        for (content, type) in [
            (
                "{\"error\":\"x\",\"error_description\":\"\(said)\",\"access_token\":\"hunter2-answer\"}",
                "application/json"
            ),
            (said, "text/plain"),
        ] {
            let script: [ScriptedServer.Step] = [
                .request,
                .send(
                    "HTTP/1.1 400 hunter2-reason\r\nX: hunter2-field\r\nContent-Type: \(type)\r\n\r\n\(content)"),
            ]
            let failure = try await HTTPSourceTests.failure(of: script) {
                $0.target = .url("\(Self.base(of: $0))/token?hunter2-query")
                $0.method = "POST"
                $0.fields = [
                    .init(name: "x-key", value: Template(parts: [.secret(TestToken.secret("hunter2-inline"))]))
                ]
                $0.body = Template(parts: [.literal("k="), .file(path: file)])
            }
            let prefix = type == "text/plain" ? "" : "x: "
            #expect(
                failure.message
                    == "http://127.0.0.1:PORT/token answered 400 (\(prefix)bad [hidden], [hidden], [hidden], [hidden],"
                    + " [hidden] for 3f1c8a52-8f4e-4e0c-9d7a-0123456789ab); see the method, headers and body that it is"
                    + " asked with")
        }
    }

    private static func base(of spec: HTTPSourceSpec) -> String {
        guard case .url(let url) = spec.target else { return "" }
        return String(url.prefix { $0 != "?" }.dropLast("/token".count))
    }

    @Test func `no descriptor is left by whatever happens`() async {
        await #expect(processExitsWith: .success) {
            let scripts: [[ScriptedServer.Step]] = [
                [.request, .send(Self.answer)], [.request, .send("nonsense\r\n")], [.request, .abort], [],
                [.request, .send("HTTP/1.1 200 OK\r\n\r\n"), .flood("gggggggggggggggggggggggggggggggg")],
            ]
            try await DescriptorCount.staysTheSame {
                try await ScriptedServer.with((0..<5).map { scripts[$0 % scripts.count] }) { server in
                    for round in 0..<5 {
                        var spec = HTTPSourceSpec(target: .url("http://127.0.0.1:\(server.port)/"))
                        spec.answerLimitBytes = 1000
                        if round == 3 { spec.tls = TLSConfiguration(authorityFile: "/nonexistent") }
                        _ = try await HTTPSourceTests.fetch(spec)
                    }
                }
            }
        }
    }
}

/// An address of this host that is not the loopback.
enum OwnAddress {
    static let found: String? = {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return nil }
        defer { unsafe freeifaddrs(list) }
        var next = unsafe list
        while let entry = unsafe next?.pointee {
            if let pointer = unsafe entry.ifa_addr, unsafe Int32(pointer.pointee.sa_family) == AF_INET {
                var storage = sockaddr_storage()
                let length = MemoryLayout<sockaddr_in>.size
                unsafe withUnsafeMutableBytes(of: &storage) { unsafe _ = memcpy($0.baseAddress!, pointer, length) }
                let address = unsafe SocketAddress(storage: storage, length: socklen_t(length))
                if !address.isLoopback, !address.isLinkLocal {
                    return address.ipBytes.map { String($0) }.joined(separator: ".")
                }
            }
            unsafe next = entry.ifa_next
        }
        return nil
    }()
}
