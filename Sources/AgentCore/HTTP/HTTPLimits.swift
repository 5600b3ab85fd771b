// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The bounds of one message; what is longer is refused, with 431, 414, 413 or 400.
struct HTTPLimits: Sendable, Equatable {
    /// Bytes of a head, from the first byte of the start line to the end of the empty line. 431 beyond.
    var headBytes = 64 * 1024
    /// Bytes of a request target. 414 beyond.
    var targetBytes = 16 * 1024
    /// Bytes of a method. 501 beyond.
    var methodBytes = 32
    /// Field lines of a head or of a trailer section. 431 beyond.
    var fieldCount = 200
    /// Options in all `Connection` fields together that name fields the agent does not know. 400 beyond: each is
    /// compared with each unknown field.
    var connectionOptions = 32
    /// Bytes of content of a request, and of whatever a `ChunkedDecoder` with these limits takes; chunk framing is not
    /// counted. 413 beyond. Unbounded by default: content streams through.
    var contentBytes = UInt64(Int64.max)
    /// Bytes of the extensions of one chunk. 400 beyond.
    var chunkExtensionBytes = 256
    /// Bytes of all chunk extensions of one message. 400 beyond.
    var chunkExtensionTotalBytes = 16 * 1024
    /// Bytes of a trailer section. 431 beyond.
    var trailerBytes = 8 * 1024
}
