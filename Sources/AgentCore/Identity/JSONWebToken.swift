// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials

/// The three times a JSON Web Token tells of itself (RFC 7519 §4.1), and nothing else of it.
///
/// The signature is not looked at: the token is checked by those it is shown to. What it says is used to renew it in
/// time and never to decide who may do what.
struct JSONWebToken: Sendable, Equatable {
    /// `iat`, `nbf` and `exp` in nanoseconds since 1970; nil where the claim is missing, no number, or before 1970.
    var issued: Int64?
    var notBefore: Int64?
    var expires: Int64?

    /// - Parameter text: the token. A claim set of more than 64 KiB is not read.
    /// - Returns: nil for an opaque token: not three base64url parts (RFC 7515 §7.1), or no JSON object in the middle.
    init?(_ text: Span<UInt8>) {
        guard text.count <= TokenRules.limitBytes else { return nil }
        var dots: (first: Int, second: Int) = (-1, -1)
        for index in text.indices where text[index] == UInt8(ascii: ".") {
            if dots.first < 0 {
                dots.first = index
            } else if dots.second < 0 {
                dots.second = index
            } else {
                return nil
            }
        }
        guard dots.first > 0, dots.second > dots.first + 1 else { return nil }
        let payload = text.extracting((dots.first + 1)..<dots.second)
        guard let json = Base64URL.decode(payload, isLenient: true),
            let claims = try? JSONDecoder().decode(Claims.self, from: Data(json))
        else { return nil }
        issued = claims.issued
        notBefore = claims.notBefore
        expires = claims.expires
    }

    /// A NumericDate, an integer or a fraction, as nanoseconds. The year 2262 and everything later is the same: late.
    static func nanoseconds(sinceEpoch seconds: Double) -> Int64? {
        guard seconds.isFinite, seconds >= 0 else { return nil }
        return seconds >= 9_223_372_036 ? .max : Int64(seconds * 1000) * 1_000_000
    }

    /// A claim of another type is as good as none; the token stands.
    private struct Claims: Decodable {
        var issued, notBefore, expires: Int64?

        enum CodingKeys: String, CodingKey {
            case issued = "iat"
            case notBefore = "nbf"
            case expires = "exp"
        }

        init(from decoder: any Decoder) throws {
            let claims = try decoder.container(keyedBy: CodingKeys.self)
            func time(_ key: CodingKeys) -> Int64? {
                (try? claims.decode(Double.self, forKey: key)).flatMap(JSONWebToken.nanoseconds)
            }
            issued = time(.issued)
            notBefore = time(.notBefore)
            expires = time(.expires)
        }
    }
}
