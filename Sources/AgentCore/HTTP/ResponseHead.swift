// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A received response head as ranges into the bytes it was parsed from; reused like `RequestHead`.
struct ResponseHead: Sendable {
    /// 100 ... 599.
    var status = 0
    /// May be empty.
    var reasonRange = ByteRange.none
    var version = HTTPVersion.http11
    var fields = FieldSection()
    var connection = ConnectionOptions()

    var progress = RequestHead.Progress.start
    var scanned = 0

    /// 1xx: another head follows for the same request, unless it is 101 (RFC 9110 §15.2).
    var isInterim: Bool { status < 200 && status != 101 }

    /// Makes ready for another message and keeps the memory. The parser does this by itself after a complete one.
    mutating func removeAll() {
        status = 0
        reasonRange = .none
        version = .http11
        fields.removeAll()
        connection = ConnectionOptions()
        progress = .start
        scanned = 0
    }
}
