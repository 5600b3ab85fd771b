// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// Dates of issuers: what they mean, and that none ends the agent.
@Suite struct HTTPDateTests {
    static let moment: Int64 = 784_111_777_000_000_000

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", moment), ("Sunday, 06-Nov-94 08:49:37 GMT", moment),
            ("Sun Nov  6 08:49:37 1994", moment), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Fri, 11 Apr 2262 23:47:16 GMT", 9_223_372_036_000_000_000),
            ("Fri, 11 Apr 2262 23:47:17 GMT", .max), ("Mon, 01 Jan 2263 00:00:00 GMT", .max),
            ("Fri, 31 Dec 9999 23:59:59 GMT", .max), ("Fri Dec 31 23:59:60 9999", .max),
            ("Wed, 31 Dec 1969 23:59:59 GMT", nil), ("Fri, 31 Dec 99999 23:59:59 GMT", nil),
            ("Sun, 06 Nov 1994 24:00:00 GMT", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("", nil),
        ] as [(String, Int64?)])
    func `a date is read in all three forms, and one behind the year 2262 is as late as can be told`(
        text: String, wall: Int64?
    ) {
        #expect(HTTPDate.wall(text) == wall)
    }

    @Test(
        arguments: [
            ("7", .seconds(7)), ("999999999", .seconds(999_999_999)), ("99999999999999999999", .seconds(1_000_000_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", .at(.max)), ("-1", nil), ("soon", nil),
        ] as [(String, ClientAnswer.RetryAfter?)])
    func `Retry-After is seconds or a date, however large`(text: String, asked: ClientAnswer.RetryAfter?) {
        #expect(ClientAnswer.RetryAfter(text) == asked)
    }
}
