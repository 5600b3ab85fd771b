// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// Public keys taken apart into their numbers, and put together from them.
enum PublicKeyFacts {
    static func algorithm(of key: OpaquePointer) -> SignatureAlgorithm? {
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 { return .rs256 }
        guard unsafe EVP_PKEY_is_a(key, "EC") == 1 else { return nil }
        var name = [CChar](repeating: 0, count: 64)
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { return nil }
        return name.starts(with: "prime256v1".utf8.map { CChar($0) } + [0]) ? .es256 : nil
    }

    /// A number of the key, big-endian, padded to `width` bytes if one is given.
    static func number(_ parameter: String, of key: OpaquePointer, width: Int? = nil) -> [UInt8]? {
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key, parameter, &number) == 1, let number = unsafe number else { return nil }
        defer { unsafe BN_free(number) }
        let length = width ?? (Int(unsafe BN_num_bits(number)) + 7) / 8
        var bytes = [UInt8](repeating: 0, count: length)
        return unsafe BN_bn2binpad(number, &bytes, Int32(length)) >= 0 ? bytes : nil
    }

    static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(CryptoFailure) -> OpaquePointer {
        let n = unsafe BN_bin2bn(modulus, Int32(modulus.count), nil)
        let e = unsafe BN_bin2bn(exponent, Int32(exponent.count), nil)
        defer {
            unsafe BN_free(n)
            unsafe BN_free(e)
        }
        let key = unsafe try make("RSA") { unsafe copenssl_push_rsa($0, n, e) == 1 }
        guard unsafe (2048...8192).contains(EVP_PKEY_get_bits(key)) else {
            unsafe EVP_PKEY_free(key)
            throw CryptoFailure("an RSA key of fewer than 2048 bits is not taken")
        }
        return unsafe key
    }

    /// Checks that the point is on the curve.
    static func p256(x: [UInt8], y: [UInt8]) throws(CryptoFailure) -> OpaquePointer {
        let point: [UInt8] = [4] + x + y
        return unsafe try point.withUnsafeBufferPointer { point throws(CryptoFailure) in
            unsafe try make("EC") { unsafe copenssl_push_p256($0, point.baseAddress, point.count) == 1 }
        }
    }

    private static func make(_ type: String, _ fill: (OpaquePointer) -> Bool) throws(CryptoFailure) -> OpaquePointer {
        guard let builder = unsafe OSSL_PARAM_BLD_new() else { throw CryptoFailure(openSSL: "no \(type) key read") }
        defer { unsafe OSSL_PARAM_BLD_free(builder) }
        guard unsafe fill(builder), let parameters = unsafe OSSL_PARAM_BLD_to_param(builder) else {
            throw CryptoFailure(openSSL: "no \(type) key read")
        }
        defer { unsafe OSSL_PARAM_free(parameters) }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil) else {
            throw CryptoFailure(openSSL: "no \(type) key read")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_fromdata_init(context) == 1,
            unsafe copenssl_public_key_from(context, &key, parameters) == 1, let key = unsafe key
        else { throw CryptoFailure(openSSL: "the numbers make no \(type) key") }
        return unsafe key
    }
}

/// The two spellings of an ECDSA signature: DER in OpenSSL and X.509, r and s side by side in JOSE (RFC 7518 §3.4).
enum ECDSASignature {
    static func raw(fromDER der: [UInt8]) -> [UInt8]? {
        unsafe der.withUnsafeBufferPointer { der in
            var cursor = der.baseAddress
            guard let signature = unsafe d2i_ECDSA_SIG(nil, &cursor, der.count) else { return nil }
            defer { unsafe ECDSA_SIG_free(signature) }
            var raw = [UInt8](repeating: 0, count: 64)
            let done = unsafe raw.withUnsafeMutableBufferPointer { raw in
                unsafe BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw.baseAddress, 32) == 32
                    && BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw.baseAddress.map { unsafe $0 + 32 }, 32) == 32
            }
            return done ? raw : nil
        }
    }

    static func der(fromRaw raw: Span<UInt8>) -> [UInt8]? {
        guard raw.count == 64, let signature = unsafe ECDSA_SIG_new() else { return nil }
        defer { unsafe ECDSA_SIG_free(signature) }
        let taken = unsafe raw.withUnsafeBufferPointer { raw in
            let r = unsafe BN_bin2bn(raw.baseAddress, 32, nil)
            let s = unsafe BN_bin2bn(raw.baseAddress.map { unsafe $0 + 32 }, 32, nil)
            if unsafe ECDSA_SIG_set0(signature, r, s) == 1 { return true }
            unsafe BN_free(r)
            unsafe BN_free(s)
            return false
        }
        guard taken else { return nil }
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = unsafe i2d_ECDSA_SIG(signature, &encoded)
        guard length > 0, let encoded = unsafe encoded else { return nil }
        defer { unsafe CRYPTO_free(encoded, nil, 0) }
        return unsafe Array(UnsafeBufferPointer(start: encoded, count: Int(length)))
    }
}
