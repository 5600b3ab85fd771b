// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// SHA-256 (FIPS 180-4) of bytes at hand.
enum SHA256 {
    /// 32 bytes.
    static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        let digest = unsafe bytes.withUnsafeBytes { bytes in
            unsafe [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
                let done = unsafe EVP_Digest(bytes.baseAddress, bytes.count, digest.baseAddress, nil, EVP_sha256(), nil)
                // Fails only when the library has no SHA-256 at all; then there is no TLS either.
                precondition(done == 1, "OpenSSL has no SHA-256")
                count = 32
            }
        }
        return digest
    }
}
