// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct SignatureTests {
    static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    /// RFC 7515 appendix A.2.
    static let rsa = JSONWebKey(
        kty: "RSA",
        n:
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ"
            + "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTB"
            + "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91"
            + "kzk2PAcDTW9gb54h4FRWyuXpoQ",
        e: "AQAB")
    static let rsaSignature =
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7"
        + "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO-"
        + "-xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igc"
        + "N_IoypGlUPQGe77Rw"

    /// RFC 7515 appendix A.3.
    static let p256 = JSONWebKey(
        kty: "EC", crv: "P-256", x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
    static let p256Signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

    @Test(arguments: [
        (rsa, "eyJhbGciOiJSUzI1NiJ9", rsaSignature), (p256, "eyJhbGciOiJFUzI1NiJ9", p256Signature),
    ])
    func `the signatures of RFC 7515 are verified, and no others`(
        key: JSONWebKey, header: String, signature: String
    ) throws {
        let verifier = try VerificationKey(key)
        let message = Array("\(header).\(Self.payload)".utf8)
        var signature = try #require(Base64URL.decode(signature))
        #expect(verifier.verifies(signature, over: message))
        let shorter = Array(message.dropLast())
        #expect(!verifier.verifies(signature, over: shorter))
        let cut = Array(signature.dropLast())
        #expect(!verifier.verifies(cut, over: message))
        signature[7] ^= 1
        #expect(!verifier.verifies(signature, over: message))
        #expect(!verifier.verifies([UInt8](), over: message))
        #expect(OpenSSLErrors.isEmpty)
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `what a fresh key signs, its public half verifies`(algorithm: SignatureAlgorithm) throws {
        let key = try SigningKey.generate(algorithm)
        #expect(key.algorithm == algorithm)
        let message = Array("the message".utf8)
        let verifier = try VerificationKey(key.jsonWebKey(keyID: "k1"))
        for _ in 0..<20 {
            let signature = try key.sign(message)
            #expect(signature.count == (algorithm == .es256 ? 64 : 256))
            #expect(verifier.verifies(signature, over: message))
        }
        let stranger = try VerificationKey(SigningKey.generate(algorithm).jsonWebKey())
        let foreign = try key.sign(message)
        #expect(!stranger.verifies(foreign, over: message))
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `a key survives its PEM form`(algorithm: SignatureAlgorithm) throws {
        let key = try SigningKey.generate(algorithm)
        let again = try PEMFile(name: "key", contents: key.pem()).privateKey()
        #expect(try again.jsonWebKey() == key.jsonWebKey())
        #expect(again.algorithm == algorithm)
    }

    @Test(arguments: [
        (JSONWebKey(kty: "oct"), "key type \"oct\" is not known"),
        (JSONWebKey(kty: "RSA", n: "AQAB", e: "AQAB"), "2048 to 8192 bits"),
        (JSONWebKey(kty: "RSA", n: rsa.n), "\"e\""),
        (
            JSONWebKey(kty: "RSA", n: String(repeating: "A", count: 300) + (rsa.n ?? "").suffix(140), e: "AQAB"),
            "fewer than 2048 bits"
        ),
        (JSONWebKey(kty: "EC", crv: "P-521", x: p256.x, y: p256.y), "\"crv\": \"P-256\""),
        (JSONWebKey(kty: "EC", crv: "P-256", x: p256.y, y: p256.x), "the numbers make no EC key"),
        (JSONWebKey(kty: "EC", alg: "RS256", crv: "P-256", x: p256.x, y: p256.y), "only ES256"),
    ])
    func `a key that is none is refused with its reason`(key: JSONWebKey, reason: String) {
        let failure = #expect(throws: CryptoFailure.self) { try VerificationKey(key) }
        #expect(failure?.description.contains(reason) == true, "\(failure?.description ?? "")")
        #expect(OpenSSLErrors.isEmpty)
    }
}
