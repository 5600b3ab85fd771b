// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A public key as JOSE writes it: RFC 7517, with the members of RFC 7518 §6.2.1 (EC) and §6.3.1 (RSA).
struct JSONWebKey: Sendable, Hashable, Codable {
    var kty: String
    var kid: String?
    var alg: String?
    var use: String?
    /// RSA: modulus and exponent, base64url.
    var n: String?
    var e: String?
    /// EC: curve name and coordinates, base64url.
    var crv: String?
    var x: String?
    var y: String?

    static func rsa(modulus: [UInt8], exponent: [UInt8], keyID: String? = nil) -> JSONWebKey {
        JSONWebKey(
            kty: "RSA", kid: keyID, alg: "RS256", use: "sig", n: Base64URL.encode(modulus),
            e: Base64URL.encode(exponent))
    }

    static func p256(x: [UInt8], y: [UInt8], keyID: String? = nil) -> JSONWebKey {
        JSONWebKey(
            kty: "EC", kid: keyID, alg: "ES256", use: "sig", crv: "P-256", x: Base64URL.encode(x),
            y: Base64URL.encode(y))
    }
}

/// The signature algorithms of RFC 7518 §3.1 that the agent speaks.
enum SignatureAlgorithm: String, Sendable, Hashable, Codable, CaseIterable {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
}
