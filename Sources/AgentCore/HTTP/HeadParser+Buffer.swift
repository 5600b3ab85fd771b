// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension HeadParser {
    /// Parses what a connection has received; see `parseRequest(_:into:limits:)` for spans.
    static func parseRequest(
        _ input: borrowing ByteBuffer, into head: inout RequestHead, limits: HTTPLimits
    ) throws(HTTPError) -> Int? {
        try parseRequest(input.readable, into: &head, limits: limits)
    }

    static func parseResponse(
        _ input: borrowing ByteBuffer, into head: inout ResponseHead, limits: HTTPLimits
    ) throws(HTTPError) -> Int? {
        try parseResponse(input.readable, into: &head, limits: limits)
    }
}
