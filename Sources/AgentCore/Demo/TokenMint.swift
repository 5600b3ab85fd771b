// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Signs JSON Web Tokens (RFC 7519, in the compact form of RFC 7515 §7.1).
struct TokenMint: Sendable {
    let key: SigningKey
    let algorithm: SignatureAlgorithm
    /// `kid`, by which verifiers find the public half.
    let keyID: String

    /// Makes a key. RSA takes a while: not on a loop.
    init(_ algorithm: SignatureAlgorithm, keyID: String) throws(CryptoFailure) {
        key = try SigningKey.generate(algorithm)
        self.algorithm = algorithm
        self.keyID = keyID
    }

    /// The public half, as it stands in a key set.
    var publicKey: JSONValue {
        guard let key = try? key.jsonWebKey(keyID: keyID) else { return .null }
        let members = [
            "kty": key.kty, "kid": key.kid, "alg": key.alg, "use": key.use, "n": key.n, "e": key.e, "crv": key.crv,
            "x": key.x, "y": key.y,
        ]
        return .object(members.compactMapValues { $0.map { .string($0) } })
    }

    /// A signed token with these claims.
    func sign(_ claims: JSONValue) throws(CryptoFailure) -> String {
        let header: JSONValue = ["alg": .string(algorithm.rawValue), "kid": .string(keyID), "typ": "JWT"]
        let signed = "\(Base64URL.encode(header.bytes)).\(Base64URL.encode(claims.bytes))"
        return "\(signed).\(Base64URL.encode(try key.sign(signed.utf8.span)))"
    }
}
