// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A received request head as ranges into the bytes it was parsed from, counted from the first byte given.
///
/// One value serves a connection for all its requests: parsing reuses its memory. Ranges are good as long as the caller
/// keeps those bytes.
struct RequestHead: Sendable {
    var method = HTTPMethod.other
    var methodRange = ByteRange.none
    /// The whole target, as written.
    var targetRange = ByteRange.none
    var form = TargetForm.origin
    /// Of the origin form: from the first slash to the end of the path.
    var pathRange = ByteRange.none
    /// Of the origin form: from the question mark, if there is one, to the end of the target.
    var queryRange = ByteRange.none
    var version = HTTPVersion.http11
    var fields = FieldSection()
    /// The value of `Host`; empty when an HTTP/1.0 request has none.
    var hostRange = ByteRange.none
    var connection = ConnectionOptions()
    /// The sender waits for 100 (Continue) before it sends the content (RFC 9110 §10.1.1).
    var expectsContinue = false
    /// The request is a WebSocket handshake, the one upgrade that is passed on (RFC 6455 §4.1).
    ///
    /// Every other `Upgrade` is left unanswered, which RFC 9110 §7.8 allows: passed on, `h2c` would carry requests
    /// past every check of the agent.
    var asksWebSocket = false

    var progress = Progress.start
    var scanned = 0

    enum Progress: UInt8, Sendable {
        case start, method, target, version, fields, complete
    }

    /// Whether the sender wants further requests on this connection (RFC 9112 §9.3).
    var keepsAlive: Bool {
        if connection.close { return false }
        return version == .http11 || connection.keepAlive
    }

    /// Makes ready for another message and keeps the memory. The parser does this by itself after a complete one.
    mutating func removeAll() {
        method = .other
        form = .origin
        methodRange = .none
        targetRange = .none
        pathRange = .none
        queryRange = .none
        version = .http11
        fields.removeAll()
        hostRange = .none
        connection = ConnectionOptions()
        expectsContinue = false
        asksWebSocket = false
        progress = .start
        scanned = 0
    }
}
