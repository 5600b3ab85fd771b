// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Why a connection can be read or written no more.
enum IOFailure: Error, CustomStringConvertible {
    /// A system call failed: reset, unreachable, timed out by the kernel.
    case system(SystemError)
    /// TLS was refused or broken.
    case tls(TLSFailure)
    /// The peer ended TLS without its close_notify (RFC 8446 §6.1): what came before may be cut short.
    case truncated

    var description: String {
        switch self {
        case .system(let error): error.description
        case .tls(let failure): failure.description
        case .truncated: "the connection was cut without TLS's close_notify"
        }
    }
}
