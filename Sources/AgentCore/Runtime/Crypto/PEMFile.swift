// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL
import Glibc

/// PEM text and where it came from, so that errors can name the file.
struct PEMFile {
    /// Longest file that is read, in bytes: about four times the trust store of a distribution.
    static let sizeLimit = 1 << 20

    /// What it is and where it stands: `client key /etc/x.pem`.
    let name: String
    /// Kept as a secret, since it may hold a private key.
    let contents: Secret

    /// Reads a file; blocks.
    static func read(_ path: String, as role: TLSConfiguration.Role) throws(TLSFailure) -> PEMFile {
        let name = "\(role.rawValue) \(path)"
        let raw = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard raw >= 0 else { throw unreadable(SystemError("open"), name) }
        let descriptor = Descriptor(owning: raw)
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var contents = ByteBuffer()
        defer {
            contents.consumeWiping(contents.count)
            unsafe explicit_bzero(&buffer, buffer.count)
        }
        while true {
            let count = unsafe Glibc.read(descriptor.raw, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(SystemError("read"), name) }
            if count == 0 { break }
            contents.append(buffer.span.extracting(first: count))
            guard contents.count <= sizeLimit else {
                throw TLSFailure(.configuration, "\(name) is larger than \(sizeLimit) bytes; is it the right file?")
            }
        }
        return PEMFile(name: name, contents: Secret(copying: contents.readable))
    }

    private static func unreadable(_ error: SystemError, _ name: String) -> TLSFailure {
        TLSFailure(.configuration, "\(name): \(error.reason)", systemCode: error.code)
    }

    /// All certificates in it, in their order; at least one.
    func certificates() throws(TLSFailure) -> [X509Certificate] {
        OpenSSLErrors.clear()
        var certificates: [X509Certificate] = []
        var trailing: OpenSSLErrors.Entry?
        unsafe withMemoryBIO { bio in
            while let handle = unsafe PEM_read_bio_X509(bio, nil, nil, nil) {
                certificates.append(unsafe X509Certificate(owning: handle))
            }
            trailing = OpenSSLErrors.take()
        }
        // The list ends with "no start line"; anything else is a damaged entry.
        if let trailing, trailing.number != PEM_R_NO_START_LINE {
            throw TLSFailure(
                .configuration,
                "\(name) has a damaged certificate at place \(certificates.count + 1): \(trailing.reason)")
        }
        guard !certificates.isEmpty else {
            throw TLSFailure(
                .configuration, "\(name) holds no certificate; a PEM file with \"BEGIN CERTIFICATE\" is needed")
        }
        return certificates
    }

    /// The first private key in it.
    func privateKey() throws(TLSFailure) -> SigningKey {
        OpenSSLErrors.clear()
        var key: SigningKey?
        var isEncrypted = false
        unsafe withMemoryBIO { bio in
            let handle = unsafe PEM_read_bio_PrivateKey(
                bio, nil,
                { _, _, _, asked in
                    unsafe asked?.storeBytes(of: true, as: Bool.self)
                    return -1
                }, &isEncrypted)
            key = unsafe handle.map { unsafe SigningKey(owning: $0) }
        }
        let entry = OpenSSLErrors.take()
        if let key { return key }
        if isEncrypted {
            throw TLSFailure(
                .configuration, "\(name) is encrypted; give an unencrypted key that only the agent can read")
        }
        throw TLSFailure(
            .configuration,
            "\(name) holds no private key that can be read (\(entry?.reason ?? "it is empty")); give a PEM file with one"
        )
    }

    private func withMemoryBIO(_ body: (OpaquePointer) -> Void) {
        contents.withExposedBytes { bytes in
            unsafe bytes.withUnsafeBytes { bytes in
                // A BIO on an empty buffer is refused; there is nothing to be found in one either.
                guard bytes.count > 0, let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else {
                    return
                }
                unsafe body(bio)
                unsafe BIO_free(bio)
            }
        }
    }
}
