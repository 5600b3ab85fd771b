// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What the log says of one call. Never its body, its query or a secret.
struct AccessRecord: ~Copyable, Sendable {
    var request: RequestID
    var method: String
    /// The route's prefix; nil if none fitted.
    var route: String?
    /// Its host.
    var upstream: String?
    /// The credential that was sent, and its place in the chain from 0.
    var credential: String?
    var link: Int?
    /// Who called; nil if that could not be found out.
    var peer: UInt32?
    /// What the caller was answered; nil if nothing was.
    var status: Int?
    /// Bytes of content received from the caller and sent to it.
    var received: UInt64 = 0
    var sent: UInt64 = 0
    /// From the request's first byte to the answer's; nil if there was no answer.
    var firstByteNanoseconds: Int64?
    /// From the request's first byte to the last that was sent.
    var durationNanoseconds: Int64 = 0
    /// Whether it was sent again with a renewed credential.
    var isReplayed = false
    /// A short fixed word for how it went wrong: `client-gone`, `upstream-cut`.
    var failure: String?
}

/// One line a call, gathered in a buffer of the loop.
///
/// ## Concurrency
/// Belongs to one loop. `record` only renders; the loop calls `flush` when it has run out of work, so that a busy loop
/// spends one write(2) on many lines and an idle one never keeps a line back.
final class AccessLog {
    private let log: Log
    private let lines: LoopCell<AccessLines>
    /// Something is in the buffer: asked in every turn of the loop, and cheaper than to look.
    private var hasLines = false

    /// Written out at once when this much has gathered.
    static let flushBytes = 32 << 10

    init(_ log: Log) {
        self.log = log
        lines = LoopCell(AccessLines(log.style))
    }

    /// - Parameter wall: the time to tell, in nanoseconds since 1970; nil for now.
    func record(_ record: borrowing AccessRecord, at wall: Int64? = nil) {
        guard log.level <= .info else { return }
        hasLines = true
        let wall = wall ?? log.clock.now().wall
        let gathered = lines.with { $0.append(record, at: wall) }
        if gathered >= Self.flushBytes { flush() }
    }

    func flush() {
        guard hasLines else { return }
        hasLines = false
        lines.with { $0.flush(to: log.sink) }
    }
}
