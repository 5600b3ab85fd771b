// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// A private key: RSA for RS256, P-256 for ES256.
///
/// ## Concurrency
/// Sendable: the key is not changed once it is made, and OpenSSL lets threads share it while each has a digest context
/// of its own (openssl-threads(7)). Signing with RSA takes about a millisecond.
@safe
final class SigningKey: @unchecked Sendable {
    let handle: OpaquePointer

    init(owning handle: OpaquePointer) {
        unsafe self.handle = handle
    }

    deinit {
        unsafe EVP_PKEY_free(handle)
    }

    /// A fresh key. RSA-2048 takes tens of milliseconds and more: not on a loop.
    static func generate(_ algorithm: SignatureAlgorithm) throws(CryptoFailure) -> SigningKey {
        OpenSSLErrors.clear()
        let handle: OpaquePointer? =
            switch algorithm {
            case .rs256: unsafe copenssl_generate_rsa(2048)
            case .es256: unsafe copenssl_generate_ec("P-256")
            }
        guard let handle = unsafe handle else { throw CryptoFailure(openSSL: "no \(algorithm.rawValue) key made") }
        return unsafe SigningKey(owning: handle)
    }

    /// What the key can sign with; nil for a key of another kind.
    var algorithm: SignatureAlgorithm? { unsafe PublicKeyFacts.algorithm(of: handle) }

    /// RS256: as long as the modulus. ES256: r and s, 32 bytes each (RFC 7518 §3.4).
    func sign(_ message: Span<UInt8>) throws(CryptoFailure) -> [UInt8] {
        OpenSSLErrors.clear()
        guard let algorithm else { throw CryptoFailure("the key is neither RSA nor P-256") }
        guard let context = unsafe EVP_MD_CTX_new() else { throw CryptoFailure(openSSL: "no signature made") }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, handle) == 1 else {
            throw CryptoFailure(openSSL: "no signature made")
        }
        // An ECDSA signature in DER is shorter than this, an RSA one as long as its key.
        var signature = [UInt8](repeating: 0, count: max(256, Int(unsafe EVP_PKEY_get_size(handle))))
        var length = signature.count
        let done = unsafe message.withUnsafeBytes { message in
            unsafe EVP_DigestSign(context, &signature, &length, message.baseAddress, message.count)
        }
        guard done == 1 else { throw CryptoFailure(openSSL: "no signature made") }
        signature.removeSubrange(length...)
        guard algorithm == .es256 else { return signature }
        guard let raw = ECDSASignature.raw(fromDER: signature) else {
            throw CryptoFailure(openSSL: "no ECDSA signature made")
        }
        return raw
    }

    /// The public half.
    func jsonWebKey(keyID: String? = nil) throws(CryptoFailure) -> JSONWebKey {
        OpenSSLErrors.clear()
        switch algorithm {
        case .rs256:
            guard let n = unsafe PublicKeyFacts.number(OSSL_PKEY_PARAM_RSA_N, of: handle),
                let e = unsafe PublicKeyFacts.number(OSSL_PKEY_PARAM_RSA_E, of: handle)
            else { throw CryptoFailure(openSSL: "no public key") }
            return .rsa(modulus: n, exponent: e, keyID: keyID)
        case .es256:
            guard let x = unsafe PublicKeyFacts.number(OSSL_PKEY_PARAM_EC_PUB_X, of: handle, width: 32),
                let y = unsafe PublicKeyFacts.number(OSSL_PKEY_PARAM_EC_PUB_Y, of: handle, width: 32)
            else { throw CryptoFailure(openSSL: "no public key") }
            return .p256(x: x, y: y, keyID: keyID)
        case nil:
            throw CryptoFailure("the key is neither RSA nor P-256")
        }
    }

    /// PKCS #8, unencrypted.
    func pem() throws(CryptoFailure) -> Secret {
        OpenSSLErrors.clear()
        // Secure memory: OpenSSL wipes it when the BIO goes.
        guard let bio = unsafe BIO_new(BIO_s_secmem()) else { throw CryptoFailure(openSSL: "no PEM written") }
        defer { unsafe _ = BIO_free(bio) }
        guard unsafe PEM_write_bio_PKCS8PrivateKey(bio, handle, nil, nil, 0, nil, nil) == 1 else {
            throw CryptoFailure(openSSL: "no PEM written")
        }
        var contents: UnsafeMutablePointer<CChar>?
        let length = unsafe copenssl_memory_contents(bio, &contents)
        guard let contents = unsafe contents, length > 0 else { throw CryptoFailure("no PEM written") }
        return unsafe Secret(copying: Span(_unsafeBytes: UnsafeRawBufferPointer(start: contents, count: length)))
    }
}
