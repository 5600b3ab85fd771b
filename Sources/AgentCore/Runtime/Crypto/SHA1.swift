// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// SHA-1, for the one place that still prescribes it: the handshake of a WebSocket (RFC 6455 §4.2.2), where it proves
/// that the peer read the key, and protects nothing.
enum SHA1 {
    /// 20 bytes.
    static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        let digest = unsafe bytes.withUnsafeBytes { bytes in
            unsafe [UInt8](unsafeUninitializedCapacity: 20) { digest, count in
                let done = unsafe EVP_Digest(bytes.baseAddress, bytes.count, digest.baseAddress, nil, EVP_sha1(), nil)
                // Fails only where the library has been built without it.
                precondition(done == 1, "OpenSSL has no SHA-1")
                count = 20
            }
        }
        return digest
    }
}
