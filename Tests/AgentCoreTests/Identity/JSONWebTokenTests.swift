// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct JSONWebTokenTests {
    private func read(_ text: String) -> JSONWebToken? {
        JSONWebToken(Array(text.utf8).span)
    }

    @Test func `the three times are read, whole or fractional`() {
        let token = read(TestToken.jwt(claims: #"{"iat":1700000000,"nbf":1700000000.5,"exp":1.7000036e9}"#))
        #expect(token?.issued == 1_700_000_000_000_000_000)
        #expect(token?.notBefore == 1_700_000_000_500_000_000)
        #expect(token?.expires == 1_700_003_600_000_000_000)
    }

    @Test(arguments: [
        "sk-opaque", "", ".", "..", "...", "a.b", "a.b.c", "a..c", "a.b.c.d", "e30.bm90IGpzb24.c2ln",
        "e30.W10.c2ln", "e30.!!!!.c2ln", "e30.e30=.c2ln",
    ])
    func `anything else is opaque`(_ text: String) {
        #expect(read(text) == nil)
    }

    @Test(arguments: [
        #"{}"#, #"{"exp":null}"#, #"{"exp":"1700000000"}"#, #"{"exp":true}"#, #"{"exp":-1}"#, #"{"exp":[1]}"#,
    ])
    func `a claim that is no time is as good as none`(_ claims: String) throws {
        let token = try #require(read(TestToken.jwt(claims: claims)))
        #expect(token.expires == nil)
    }

    @Test(arguments: ["1e300", "9223372036", "99999999999999999999", "1.7976931348623157e308"])
    func `an end beyond all years is late, not a trap`(_ number: String) throws {
        let token = try #require(read(TestToken.jwt(claims: "{\"exp\":\(number)}")))
        #expect(token.expires == .max)
    }

    @Test func `no prefix and no flipped bit of a token traps the reader`() {
        let bytes = Array(TestToken.jwt(issued: 1, notBefore: 2, expires: 3).utf8)
        for end in bytes.indices {
            _ = JSONWebToken(Array(bytes[..<end]).span)
            for bit in 0..<8 {
                var flipped = bytes
                flipped[end] ^= 1 << UInt8(bit)
                _ = JSONWebToken(flipped.span)
            }
        }
    }

    @Test func `a claim set nested without end is refused, not followed`() {
        #expect(read(TestToken.jwt(claims: String(repeating: "[", count: 20_000))) == nil)
        #expect(read(TestToken.jwt(claims: #"{"exp":"# + String(repeating: "[", count: 20_000))) == nil)
    }

    @Test(arguments: [
        ("", ""), ("Zg", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob"), ("Zm9vYmE", "fooba"),
        ("Zm9vYmFy", "foobar"), ("_-8", "\u{ff}\u{ef}"),
    ])
    func `base64url has the values of RFC 4648`(_ text: String, _ plain: String) {
        let bytes = Base64URL.decode(Array(text.utf8).span, isLenient: true)
        #expect(bytes == plain.unicodeScalars.map { UInt8($0.value) })
    }
}

@Suite struct TokenRulesTests {
    private func judge(_ bytes: [UInt8]) -> Result<Int, CredentialFailure> {
        do throws(CredentialFailure) { return .success(try TokenRules.validated(bytes.span).count) } catch {
            return .failure(error)
        }
    }

    @Test(arguments: [("token", 5), ("token\n", 5), ("token\r\n", 5), ("t", 1)])
    func `one line end is taken off`(_ text: String, _ count: Int) throws {
        #expect(try judge(Array(text.utf8)).get() == count)
    }

    @Test(arguments: ["", "\n", "\r\n"])
    func `an empty value is empty`(_ text: String) {
        #expect(throws: CredentialFailure.self) { try judge(Array(text.utf8)).get() }
        if case .failure(let failure) = judge(Array(text.utf8)) { #expect(failure.kind == .empty) }
    }

    @Test(arguments: [
        ("hunter2\n\n", "a line feed at byte 8 of 8"), ("hunter2\rx", "a carriage return at byte 8 of 9"),
        ("hunter2\0", "a NUL byte at byte 8 of 8"), ("hunter2é", "a byte outside ASCII at byte 8 of 9"),
        ("hunter2\u{7f}", "a control byte at byte 8 of 8"), ("hunter2\tx", "a control byte"),
        ("hunter2 x", "a space at byte 8"), (" hunter2", "a space at byte 1"),
    ])
    func `a value that no header field may carry is refused without being shown`(_ text: String, _ words: String) {
        guard case .failure(let failure) = judge(Array(text.utf8)) else { return #expect(Bool(false), "accepted") }
        #expect(failure.kind == .malformed)
        #expect(failure.message.contains(words))
        #expect(!failure.message.contains("hunter2"))
    }

    @Test func `64 KiB is the limit`() throws {
        #expect(try judge(Array(repeating: 0x61, count: 65536)).get() == 65536)
        #expect(throws: CredentialFailure.self) { try judge(Array(repeating: 0x61, count: 65537)).get() }
    }

    @Test func `a header form renders once and shows nothing`() {
        let value = HeaderForm.bearer.value(for: TestToken.secret("abc"))
        #expect(TestToken.text(value) == "Bearer abc")
        #expect(TestToken.text(HeaderForm.apiKey.value(for: TestToken.secret("abc"))) == "abc")
        #expect(HeaderForm(field: "X-Key", scheme: nil)?.field == "x-key")
        #expect(HeaderForm(field: "x key", scheme: nil) == nil)
        #expect(HeaderForm(field: "", scheme: nil) == nil)
        #expect(HeaderForm(field: "x", scheme: "Bear\r\ner") == nil)
    }
}

@Suite struct ExpiryTextTests {
    @Test(arguments: [
        ("3600", SourceValue.Expiry.after(.seconds(3600))), ("1700000000", .at(.seconds(1_700_000_000))),
        ("1700000000000", .at(.seconds(1_700_000_000))), ("0", .after(0)), ("0.5", .after(.seconds(0.5))),
        ("1970-01-01T00:00:00Z", .at(0)), ("2026-11-21T08:55:00Z", .at(.seconds(1_795_251_300))),
        ("2026-11-21t09:55:00.25+01:00", .at(.seconds(1_795_251_300) + 250_000_000)),
        ("2026-11-21 03:25:00.123456789012-05:30", .at(.seconds(1_795_251_300) + 123_456_789)),
        ("2000-02-29T00:00:00Z", .at(.seconds(951_782_400))), ("2261-01-01T00:00:00Z", .at(.seconds(9_183_110_400))),
        ("9999-12-31T23:59:59Z", .at(.max)),
    ])
    func `lengths, moments and dates are told apart`(_ text: String, _ expiry: SourceValue.Expiry) {
        #expect(ExpiryText.expiry(text) == expiry)
    }

    @Test(arguments: [
        "", "soon", "-1", "nan", "inf", "1e400", "2026-11-21", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z",
        "2026-11-21T08:55:00", "2026-11-21T08:55:00.Z", "2026-11-21T08:55:00+1:00", "2026-11-21T08:55:00Zx",
        "２０２６-11-21T08:55:00Z",
    ])
    func `anything else is no end`(_ text: String) {
        #expect(ExpiryText.expiry(text) == nil)
    }
}
