// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// Unsigned tokens with the claims a test asks for.
enum TestToken {
    /// - Parameters: seconds since 1970; `serial` makes the token differ from others with the same times.
    static func jwt(issued: Double? = nil, notBefore: Double? = nil, expires: Double? = nil, serial: Int = 0) -> String
    {
        var claims = ["\"jti\":\"\(serial)\""]
        if let issued { claims.append("\"iat\":\(number(issued))") }
        if let notBefore { claims.append("\"nbf\":\(number(notBefore))") }
        if let expires { claims.append("\"exp\":\(number(expires))") }
        return jwt(claims: "{\(claims.joined(separator: ","))}")
    }

    static func jwt(claims: String) -> String {
        "\(base64URL(#"{"alg":"RS256","typ":"JWT"}"#)).\(base64URL(claims)).c2lnbmF0dXJl"
    }

    static func value(_ text: String, expiry: SourceValue.Expiry? = nil, issuerWall: Int64? = nil) -> SourceValue {
        SourceValue(secret: secret(text), expiry: expiry, issuerWall: issuerWall)
    }

    static func secret(_ text: String) -> Secret {
        Secret(copying: Array(text.utf8).span)
    }

    static func text(_ secret: Secret) -> String {
        secret.withExposedBytes { bytes in
            String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
        }
    }

    static func bytes(_ secret: Secret) -> [UInt8] {
        secret.withExposedBytes { bytes in bytes.indices.map { bytes[$0] } }
    }

    static func base64URL(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
    }
}

extension Int64 {
    static func seconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }
}
