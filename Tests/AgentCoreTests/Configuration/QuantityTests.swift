// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct QuantityTests {
    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("30s", .seconds(30)), ("5m", .seconds(300)), ("1h30m", .seconds(5400)),
        ("2d", .seconds(172_800)), ("0s", .zero), ("1d2h3m4s5ms", .milliseconds(93_784_005)), ("", nil), ("5", nil),
        ("m", nil),
        ("5 m", nil), ("-5m", nil), ("1.5h", nil), ("5M", nil), ("1m1h", nil), ("1m1m", nil), ("5mm", nil), ("٥m", nil),
        ("99999999999999999999d", nil), ("200000d", nil),
    ])
    func `a duration is whole numbers with units, the larger first`(text: String, duration: Duration?) {
        #expect(Quantity.duration(text) == duration)
    }

    @Test(arguments: [
        ("0", 0), ("1024", 1024), ("64KiB", 65_536), ("10MB", 10_000_000), ("1 GiB", 1 << 30), ("7B", 7), ("5kB", 5000),
        ("", nil),
        ("KiB", nil), ("1.5MB", nil), ("-1", nil), ("1kib", nil), ("1TB", nil), ("9999999999GiB", nil),
    ])
    func `a size is a whole number with a unit`(text: String, bytes: Int?) {
        #expect(Quantity.size(text) == bytes)
    }

    @Test(arguments: ["0s", "250ms", "30s", "5m", "1h30m", "2d", "1d2h3m4s5ms"])
    func `a duration is written as it is read`(text: String) {
        #expect(Quantity.duration(text).map { Quantity.text($0) } == text)
    }
}

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("stauts", "status"), ("tokne", "token"), ("Serve", "serve"), ("versoin", "version"), ("chek", "check"),
        ("x", nil), ("", nil),
        ("serve", nil), ("completely", nil), (String(repeating: "a", count: 1000), nil),
    ])
    func `only a slip of the pen is mended`(word: String, suggestion: String?) {
        #expect(Suggestion.nearest(to: word, among: CommandName.allCases.map(\.rawValue)) == suggestion)
    }
}

@Suite struct QuotedTextTests {
    @Test(arguments: [
        ("plain", "\"plain\""), ("a\"b\n\u{1B}[m\u{202E}", "\"a\\\"b??[m?\""), ("sk-ant-api03-abcdef", "\"sk-a…\""),
        ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "\"eyJh…\""), ("AbCdEf0123456789AbCdEf0123456789", "\"AbCd…\""),
        (
            "https://gateway.example/a/very/long/path/0123456789",
            "\"https://gateway.example/a/very/long/path/0123456789\""
        ),
        ("two words and 0123456789 digits", "\"two words and 0123456789 digits\""),
        (String(repeating: "x ", count: 60), "\"" + String(repeating: "x ", count: 40) + "…\""),
    ])
    func `what is shown is short, one line, and no secret`(text: String, shown: String) {
        #expect(QuotedText.quote(text) == shown)
    }
}
