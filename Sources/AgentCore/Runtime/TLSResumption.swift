// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// The resumable sessions of one client context, by host and port.
///
/// ## Concurrency
/// Shared by all loops and guarded by a lock, which is taken once per TLS handshake and once per ticket that arrives:
/// never for a request on a connection that stands.
final class TLSResumption: Sendable {
    /// Endpoints remembered at most; beyond it, one of the others is forgotten.
    static let endpointLimit = 256
    /// Tickets kept per endpoint: a server commonly sends two with each handshake.
    static let ticketLimit = 4
    /// How long after the certificate was looked at a session that stems from it is still offered. It is not looked at
    /// when a session is resumed, so this bounds how long one that expires or is replaced is still taken (RFC 8446 §4.6.1).
    static let maximumAge = Duration.seconds(3600)

    private let tickets = Mutex<[String: [TLSTicket]]>([:])

    /// A session to offer. A TLS 1.3 ticket is given out once: RFC 8446 appendix C.4, reuse lets observers link
    /// connections.
    ///
    /// - Parameter now: of the boot clock, nanoseconds.
    func take(for endpoint: String, at now: Int64) -> TLSTicket? {
        tickets.withLock { tickets in
            guard var kept = tickets[endpoint] else { return nil }
            while let ticket = kept.popLast() {
                guard now.minus(ticket.verified) <= Self.maximumAge.nanoseconds else { continue }
                if !ticket.isSingleUse { kept.append(ticket) }
                tickets[endpoint] = kept.isEmpty ? nil : kept
                return ticket
            }
            tickets[endpoint] = nil
            return nil
        }
    }

    func keep(_ ticket: TLSTicket, for endpoint: String) {
        tickets.withLock { tickets in
            if tickets[endpoint] == nil, tickets.count >= Self.endpointLimit, let other = tickets.keys.first {
                tickets[other] = nil
            }
            tickets[endpoint, default: []].append(ticket)
            if let count = tickets[endpoint]?.count, count > Self.ticketLimit { tickets[endpoint]?.removeFirst() }
        }
    }

    /// Forgets what is known of an endpoint, after a handshake with it has failed.
    func forget(_ endpoint: String) {
        tickets.withLock { $0[endpoint] = nil }
    }
}

/// One reference to an `SSL_SESSION`.
///
/// Sendable: a session is not changed any more once OpenSSL has handed it out, and its references are counted
/// atomically.
@safe
final class TLSTicket: @unchecked Sendable {
    let handle: OpaquePointer
    /// When the certificate was looked at that all of it stems from, however often it was resumed since: boot clock,
    /// nanoseconds. `SSL_SESSION_get_time` does not tell: OpenSSL sets it anew with each ticket.
    let verified: Int64

    init(owning handle: OpaquePointer, verified: Int64) {
        unsafe self.handle = handle
        self.verified = verified
    }

    deinit {
        unsafe SSL_SESSION_free(handle)
    }

    var isSingleUse: Bool { unsafe SSL_SESSION_get_protocol_version(handle) >= TLS1_3_VERSION }
}
