// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// A public key that signatures are checked with.
///
/// Sendable: not changed once it is made; see `SigningKey`.
@safe
final class VerificationKey: @unchecked Sendable {
    let algorithm: SignatureAlgorithm
    private let handle: OpaquePointer

    private init(owning handle: OpaquePointer, algorithm: SignatureAlgorithm) {
        unsafe self.handle = handle
        self.algorithm = algorithm
    }

    deinit {
        unsafe EVP_PKEY_free(handle)
    }

    /// Takes RSA keys of 2048 to 8192 bits and points on P-256; an `alg` that says something else is refused.
    convenience init(_ key: JSONWebKey) throws(CryptoFailure) {
        OpenSSLErrors.clear()
        let algorithm: SignatureAlgorithm
        let handle: OpaquePointer
        switch key.kty {
        case "RSA":
            guard let n = key.n.flatMap({ Base64URL.decode($0) }), let e = key.e.flatMap({ Base64URL.decode($0) }),
                (256...1024).contains(n.count), (1...8).contains(e.count)
            else { throw CryptoFailure("an RSA key needs base64url \"n\" of 2048 to 8192 bits and \"e\"") }
            algorithm = .rs256
            unsafe handle = try PublicKeyFacts.rsa(modulus: n, exponent: e)
        case "EC":
            guard key.crv == "P-256", let x = key.x.flatMap({ Base64URL.decode($0) }),
                let y = key.y.flatMap({ Base64URL.decode($0) }), x.count == 32, y.count == 32
            else { throw CryptoFailure("an EC key needs \"crv\": \"P-256\" and base64url \"x\" and \"y\" of 32 bytes") }
            algorithm = .es256
            unsafe handle = try PublicKeyFacts.p256(x: x, y: y)
        default:
            throw CryptoFailure("key type \"\(String(printing: key.kty, limit: 20))\" is not known; use RSA or EC")
        }
        unsafe self.init(owning: handle, algorithm: algorithm)
        guard key.alg == nil || key.alg == algorithm.rawValue else {
            throw CryptoFailure(
                "key is for \(String(printing: key.alg ?? "", limit: 20)); only \(algorithm.rawValue) is known for it")
        }
    }

    /// Whether `signature`, in the form that `SigningKey.sign` gives, is this key's over `message`.
    func verifies(_ signature: Span<UInt8>, over message: Span<UInt8>) -> Bool {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        let encoded: [UInt8]
        switch algorithm {
        case .rs256: encoded = Array(copying: signature)
        case .es256:
            guard let der = ECDSASignature.der(fromRaw: signature) else { return false }
            encoded = der
        }
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, handle) == 1 else { return false }
        return unsafe message.withUnsafeBytes { message in
            unsafe EVP_DigestVerify(context, encoded, encoded.count, message.baseAddress, message.count) == 1
        }
    }
}

extension Array where Element == UInt8 {
    fileprivate init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }
}
