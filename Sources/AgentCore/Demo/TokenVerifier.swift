// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Checks tokens as a gateway has to: signature by a key of the issuer, issuer, audience, and both ends of its life
/// (RFC 7519 §7.2). No leeway: the demo's hosts have one clock.
struct TokenVerifier: Sendable {
    let issuer: String
    let audience: String
    private let keys: [String: VerificationKey]

    struct Claims: Sendable, Equatable {
        let id: String
        let subject: String
        let expires: Int64
    }

    /// Why a token is not accepted. Bounded, and holds nothing of the token.
    enum Rejection: String, Error {
        case malformed = "the token is no signed JWT"
        case unknownKey = "the token is signed by an unknown key"
        case algorithm = "the token names another algorithm than its key has"
        case signature = "the signature of the token is wrong"
        case issuer = "the token is from another issuer"
        case audience = "the token is for another audience"
        case notYet = "the token is not valid yet"
        case expired = "the token has expired"
    }

    /// - Parameter keySet: as RFC 7517 §5 writes it; keys of kinds that are not known are left out.
    init(issuer: String, audience: String, keySet: JSONValue) {
        self.issuer = issuer
        self.audience = audience
        var keys: [String: VerificationKey] = [:]
        for key in keySet["keys"]?.arrayValue ?? [] {
            func text(_ name: String) -> String? { key[name]?.stringValue }
            guard let kind = text("kty"), let id = text("kid") else { continue }
            keys[id] = try? VerificationKey(
                JSONWebKey(
                    kty: kind, kid: id, alg: text("alg"), use: text("use"), n: text("n"), e: text("e"),
                    crv: text("crv"), x: text("x"), y: text("y")))
        }
        self.keys = keys
    }

    var isEmpty: Bool { keys.isEmpty }

    /// - Parameter now: seconds since 1970.
    func verify(_ token: String, at now: Int64) throws(Rejection) -> Claims {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .malformed }
        guard let id = header["kid"]?.stringValue, let key = keys[id] else { throw .unknownKey }
        // The key decides, never the token: RFC 8725 §3.1.
        guard header["alg"]?.stringValue == key.algorithm.rawValue else { throw .algorithm }
        let signed = "\(parts[0]).\(parts[1])"
        guard key.verifies(signature.span, over: signed.utf8.span) else { throw .signature }
        guard claims["iss"]?.stringValue == issuer else { throw .issuer }
        guard Self.audiences(claims).contains(audience) else { throw .audience }
        guard let expires = claims["exp"]?.integerValue else { throw .malformed }
        if let start = claims["nbf"]?.integerValue, now < start { throw .notYet }
        guard now < expires else { throw .expired }
        return Claims(
            id: claims["jti"]?.stringValue ?? "", subject: claims["sub"]?.stringValue ?? "", expires: expires)
    }

    private static func object(_ part: String) -> JSONValue? {
        guard let bytes = Base64URL.decode(part), let value = try? JSONValue.decode(bytes.span) else { return nil }
        return value.objectValue == nil ? nil : value
    }

    private static func audiences(_ claims: JSONValue) -> [String] {
        if let one = claims["aud"]?.stringValue { return [one] }
        return claims["aud"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}
