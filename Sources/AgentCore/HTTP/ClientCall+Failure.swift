// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Why a call has no answer. The sentences name no address: the caller knows which it was.
enum ClientCallFailure: Error {
    case dial(DialFailure)
    /// The call's own head cannot be written: which part, and the repair.
    case unsendable(String)
    /// Plain text, and the name leads to an address that others can listen on the way to.
    case exposed(SocketAddress)
    /// The deadline came; while doing what.
    case timedOut(String)
    /// The connection ended before the answer was whole: what was missing, and why.
    case cut(String, IOFailure?)
    /// It is not HTTP.
    case nonsense(HTTPError)
    /// Head or content are larger than wanted.
    case tooLarge(limit: Int)
    /// The task was cancelled.
    case cancelled
}

extension ClientCallFailure: CustomStringConvertible {
    var description: String {
        switch self {
        case .dial(let failure): failure.description
        case .unsendable(let reason): reason
        case .exposed(let address):
            "the name leads to \(address), which is not this host; write https://, or the token could be read on its way"
        case .timedOut(let phase): "the time was over while \(phase)"
        case .cut(let missing, nil): "the connection was closed \(missing)"
        case .cut(let missing, .truncated?): "the connection was closed \(missing), without TLS's close_notify"
        case .cut(let missing, let failure?): "the connection broke \(missing): \(failure)"
        case .nonsense(let error): "the answer is not HTTP: \(error)"
        case .tooLarge(let limit): "the answer is larger than \(limit) bytes"
        case .cancelled: "nobody waits for the answer any more"
        }
    }
}
