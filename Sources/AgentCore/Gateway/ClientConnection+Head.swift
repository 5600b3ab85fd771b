// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Looks into the answer's head, where it stands in the connection's buffer.
///
/// Mutating for the reason that `ServerConnection` tells.
extension ClientConnection {
    mutating func responseFraming(_ facts: Exchange.Facts) throws(HTTPError) -> BodyFraming {
        try BodyFraming.response(
            head, in: input.readable, to: facts.method, askedWebSocket: facts.asksWebSocket)
    }

    /// Whether the connection may carry another exchange once this one is whole.
    mutating func keepsAlive(_ framing: BodyFraming) -> Bool {
        head.keepsAlive(framing, in: input.readable)
    }

    /// Writes the whole head for the caller, with `extra` lines of the agent's own.
    mutating func writeHead(
        _ facts: Exchange.Facts, framing: BodyFraming, keepsAlive: Bool, date: HTTPDate, extra: String,
        into buffer: inout ByteBuffer
    ) {
        // Of what came with the head, content goes behind it; some fields are put in, fewer bytes than this.
        loop.buffers.lend(to: &buffer, for: input.count + extra.utf8.count + 256)
        let bytes = input.readable
        HeadWriter.begin(
            response: head, in: bytes, framing: framing, declaredLength: head.declaredLength(in: bytes),
            keepsAlive: keepsAlive, client: facts.version, date: date, into: &buffer)
        buffer.append(extra)
        HeadWriter.end(into: &buffer)
    }

    mutating func writeInterim(into buffer: inout ByteBuffer) {
        HeadWriter.append(interim: head, in: input.readable, into: &buffer)
    }
}
