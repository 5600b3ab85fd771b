// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct TLSContextTests {
    let world: TLSWorld

    init() throws {
        world = try TLSWorld()
    }

    private func sentence(for configuration: TLSConfiguration) -> String {
        let failure = #expect(throws: TLSFailure.self) { try TLSContext(client: configuration) }
        #expect(failure?.kind == .configuration)
        #expect(OpenSSLErrors.isEmpty)
        return failure?.description ?? ""
    }

    @Test func `a CA file that is not there is named with its reason`() {
        let path = world.folder.path("none.pem")
        let text = sentence(for: TLSConfiguration(authorityFile: path))
        #expect(text == "CA file \(path): No such file or directory")
    }

    @Test func `a folder for a CA file is named with its reason`() {
        let text = sentence(for: TLSConfiguration(authorityFile: world.folder.path))
        #expect(text == "CA file \(world.folder.path): Is a directory")
    }

    @Test(.enabled(if: getuid() != 0, "root may read everything"))
    func `a CA file that may not be read is named with its reason`() {
        let path = world.folder.write("x", to: "secret.pem", mode: 0)
        let text = sentence(for: TLSConfiguration(authorityFile: path))
        #expect(text == "CA file \(path): Permission denied")
    }

    @Test(arguments: ["", "hello\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
    func `a CA file without a certificate is refused`(contents: String) {
        let path = world.folder.write(contents, to: "empty.pem")
        #expect(sentence(for: TLSConfiguration(authorityFile: path)).contains("\(path) holds no certificate"))
    }

    @Test func `a damaged certificate is counted`() {
        let good = world.authority.certificate.pem
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        let path = world.folder.write(good + damaged, to: "damaged.pem")
        let text = sentence(for: TLSConfiguration(authorityFile: path))
        #expect(text.hasPrefix("CA file \(path) has a damaged certificate at place 2: "), "\(text)")
    }

    @Test func `a key that belongs to another certificate is refused`() throws {
        let identity = try world.clientIdentity()
        let other = try world.authority.issue(names: ["other"], use: .client)
        let path = world.folder.write(String(decoding: try other.keyPEM().exposed, as: UTF8.self), to: "other.key")
        var configuration = world.clientConfiguration
        configuration.clientCertificate = .init(certificateFile: identity.certificateFile, keyFile: path)
        let text = sentence(for: configuration)
        #expect(text.hasPrefix("client key \(path) does not belong to client certificate \(identity.certificateFile)"))
    }

    @Test func `an encrypted key is refused without asking for its pass phrase`() throws {
        // openssl genpkey -algorithm ed25519 -aes128 -pass pass:x
        let encrypted = """
            -----BEGIN ENCRYPTED PRIVATE KEY-----
            MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjxhz9znBu5dQICCAAw
            DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEDumcvLoFf7C3B8ez4SN5R0EQMv5
            IkCT5/8MnpQ/DnP9Ze5Xb01cRW+kaKFLK6WVWFz7UOSdA2DX7T6NoTWL3Y+oPr25
            acOf+Yk6gKFzseYdUjs=
            -----END ENCRYPTED PRIVATE KEY-----

            """
        let path = world.folder.write(encrypted, to: "encrypted.key")
        var configuration = world.clientConfiguration
        configuration.clientCertificate = .init(
            certificateFile: try world.clientIdentity().certificateFile, keyFile: path)
        #expect(sentence(for: configuration).hasPrefix("client key \(path) is encrypted"))
    }

    @Test func `a key file without a key is refused`() throws {
        let identity = try world.clientIdentity()
        var configuration = world.clientConfiguration
        configuration.clientCertificate = .init(
            certificateFile: identity.certificateFile, keyFile: identity.certificateFile)
        #expect(sentence(for: configuration).contains("holds no private key"))
    }
}
