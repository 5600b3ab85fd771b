// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import COpenSSL
import Glibc

/// How far a step of TLS has come that moves no data.
enum TLSProgress: Equatable {
    case done
    /// The socket has to become readable (writable) first.
    case wantRead
    case wantWrite
}

/// What a read or a write has come to.
enum TLSResult: Equatable {
    /// So many bytes of plain text, at least 1 (0 only for an empty buffer).
    case bytes(Int)
    case wantRead
    case wantWrite
    /// The peer sends no more. `clean` is false when the connection ended without close_notify: what came so far may
    /// have been cut short by anybody on the way (RFC 8446 §6.1).
    case closed(clean: Bool)
}

/// One TLS connection over a non-blocking descriptor, which stays its owner's.
///
/// No call blocks. A read may want to write and a write to read; the caller waits for what it is told and makes the same
/// call again. After a failure only `deinit` may follow.
///
/// ## Concurrency
/// Not Sendable: it belongs to the loop of its connection. OpenSSL calls back only from within these methods.
@safe
final class TLSSession {
    /// Who is on the other side, for sentences.
    let peerName: String
    /// The key of `TLSResumption`: `host:port`. Nil on the server side.
    private let endpoint: String?
    private let context: TLSContext
    private let handle: OpaquePointer
    /// When this began, and when the certificate was looked at that the session offered stems from: boot clock.
    private let began: Int64
    private var offered: Int64?
    private var rejection: TLSRejection?
    private var isEstablished = false
    private var hasFailed = false

    private init(
        context: TLSContext, peerName: String, endpoint: String?, descriptor: Int32, at now: Int64
    ) throws(TLSFailure) {
        OpenSSLErrors.clear()
        began = now
        guard let handle = unsafe SSL_new(context.handle) else {
            throw TLSFailure(.configuration, CryptoFailure(openSSL: "no TLS session for \(peerName)").description)
        }
        unsafe self.handle = unsafe handle
        self.context = context
        self.peerName = peerName
        self.endpoint = endpoint
        guard unsafe SSL_set_fd(handle, descriptor) == 1 else {
            throw TLSFailure(.configuration, CryptoFailure(openSSL: "no TLS session for \(peerName)").description)
        }
        unsafe SSL_set_ex_data(handle, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        // OpenSSL would call a session that ended without a shutdown not resumable, after TLS 1.0's rule.
        if isEstablished && !hasFailed { unsafe SSL_set_shutdown(handle, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        unsafe SSL_free(handle)
    }

    /// The calling side.
    ///
    /// - Parameters:
    ///   - host: DNS name, or IP address without brackets; what the certificate must be for. A name is sent as SNI.
    ///   - port: with `host`, the key under which sessions are resumed.
    ///   - descriptor: connected and non-blocking.
    ///   - now: of the boot clock, nanoseconds.
    convenience init(
        client context: TLSContext, host: String, port: UInt16, descriptor: Int32,
        at now: Int64 = SystemClock().now().boot
    ) throws(TLSFailure) {
        // OpenSSL takes an empty name for "do not check", and ends a name at its first NUL.
        guard !host.isEmpty, host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw TLSFailure(
                .configuration, "\"\(String(printing: host))\" is no host name that a certificate can be checked for")
        }
        let name = host.last == "." ? String(host.dropLast()) : host
        try self.init(context: context, peerName: name, endpoint: "\(name):\(port)", descriptor: descriptor, at: now)
        unsafe SSL_set_connect_state(handle)
        var accepted: Bool
        if Self.isAddress(name) {
            accepted = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), name) == 1
        } else {
            unsafe SSL_set_hostflags(
                handle, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
            accepted = unsafe SSL_set1_host(handle, name) == 1 && copenssl_set_server_name(handle, name) == 1
        }
        guard accepted, !name.isEmpty else {
            throw TLSFailure(.configuration, CryptoFailure(openSSL: "host name \(name)").description)
        }
        if let ticket = context.resumption.take(for: "\(name):\(port)", at: now) {
            unsafe _ = SSL_set_session(handle, ticket.handle)
            offered = ticket.verified
        }
        OpenSSLErrors.clear()
    }

    /// The answering side, for the demo and for tests.
    convenience init(server context: TLSContext, descriptor: Int32) throws(TLSFailure) {
        try self.init(context: context, peerName: "the client", endpoint: nil, descriptor: descriptor, at: 0)
        unsafe SSL_set_accept_state(handle)
    }

    private static func isAddress(_ name: String) -> Bool {
        var address = in6_addr()
        return unsafe inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
    }

    // MARK: Steps

    /// Drives the handshake; to be called until `.done`.
    func handshake() throws(TLSFailure) -> TLSProgress {
        guard !hasFailed else { throw alreadyFailed }
        OpenSSLErrors.clear()
        let status = unsafe SSL_do_handshake(handle)
        if status == 1 {
            isEstablished = true
            return .done
        }
        switch try result(of: status) {
        case .wantRead: return .wantRead
        case .wantWrite: return .wantWrite
        case .bytes, .closed:
            throw failed(.connection, "\(peerName) closed the connection during the TLS handshake")
        }
    }

    /// Reads plain text. Call until `.wantRead`: what OpenSSL has buffered shows on the socket no more.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSFailure) -> TLSResult {
        guard !hasFailed else { throw alreadyFailed }
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .bytes(0) }
        OpenSSLErrors.clear()
        var count = 0
        let status = unsafe SSL_read_ex(handle, base, buffer.count, &count)
        return status == 1 ? .bytes(count) : try result(of: status)
    }

    /// Writes plain text, possibly a part of it. After `.wantRead` or `.wantWrite` the next write must begin with the
    /// same bytes, at least as many; they may have moved in memory.
    func write(_ buffer: UnsafeRawBufferPointer) throws(TLSFailure) -> TLSResult {
        guard !hasFailed else { throw alreadyFailed }
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .bytes(0) }
        OpenSSLErrors.clear()
        var count = 0
        let status = unsafe SSL_write_ex(handle, base, buffer.count, &count)
        return status == 1 ? .bytes(count) : try result(of: status)
    }

    /// Sends close_notify, best effort; reading may go on. `.done` also when the connection is past it.
    @discardableResult
    func shutdown() -> TLSProgress {
        guard isEstablished, !hasFailed else { return .done }
        OpenSSLErrors.clear()
        let status = unsafe SSL_shutdown(handle)
        guard status < 0 else { return .done }
        let progress: TLSProgress = unsafe SSL_get_error(handle, status) == SSL_ERROR_WANT_WRITE ? .wantWrite : .done
        OpenSSLErrors.clear()
        return progress
    }

    // MARK: Facts

    /// Whether bytes have been read off the socket that no `read(into:)` has returned yet.
    var hasPending: Bool { unsafe SSL_has_pending(handle) == 1 }
    /// Whether the handshake took up an earlier session.
    var isResumed: Bool { unsafe SSL_session_reused(handle) == 1 }
    /// `TLSv1.3`.
    var version: String { unsafe String(cString: SSL_get_version(handle)) }
    /// `TLS_AES_256_GCM_SHA384`; nil before the handshake.
    var cipher: String? {
        guard let cipher = unsafe SSL_get_current_cipher(handle) else { return nil }
        return unsafe SSL_CIPHER_get_name(cipher).map { unsafe String(cString: $0) }
    }
    /// What ALPN has settled: `http/1.1`, or nil when the server does not speak ALPN.
    var applicationProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(handle, &name, &length)
        guard let name = unsafe name, length > 0 else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    // MARK: Called back by OpenSSL

    static func owner(of handle: OpaquePointer?) -> TLSSession? {
        guard let handle = unsafe handle, let owner = unsafe SSL_get_ex_data(handle, 0) else { return nil }
        return unsafe Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
    }

    /// Takes over a session that may be resumed.
    func keep(_ session: OpaquePointer) {
        let ticket = unsafe TLSTicket(owning: session, verified: isResumed ? offered ?? began : began)
        guard let endpoint else { return }
        context.resumption.keep(ticket, for: endpoint)
    }

    func noteRejection(by store: OpaquePointer) {
        guard rejection == nil else { return }
        unsafe rejection = TLSRejection(store)
    }

    // MARK: Failures

    private func result(of status: Int32) throws(TLSFailure) -> TLSResult {
        let systemCode = errno
        switch unsafe SSL_get_error(handle, status) {
        case SSL_ERROR_WANT_READ: return .wantRead
        case SSL_ERROR_WANT_WRITE: return .wantWrite
        case SSL_ERROR_ZERO_RETURN: return .closed(clean: true)
        case SSL_ERROR_SYSCALL:
            OpenSSLErrors.clear()
            hasFailed = true
            if systemCode == 0 { return .closed(clean: false) }
            let error = SystemError("TLS connection to", code: systemCode, on: peerName)
            throw failed(.connection, error.description, systemCode: systemCode)
        default:
            let entry = OpenSSLErrors.take()
            if entry?.number == SSL_R_UNEXPECTED_EOF_WHILE_READING {
                hasFailed = true
                return .closed(clean: false)
            }
            throw failure(from: entry)
        }
    }

    private func failure(from entry: OpenSSLErrors.Entry?) -> TLSFailure {
        if let rejection, !isEstablished {
            return failed(.certificate, rejection.sentence(for: peerName))
        }
        let reason = entry?.reason ?? "no reason given by OpenSSL"
        return switch entry?.number {
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG:
            failed(.negotiation, "\(peerName) does not answer with TLS; is the port right? (\(reason))")
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            failed(.negotiation, "\(peerName) speaks no TLS version that we do: 1.2 or 1.3 is needed (\(reason))")
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
            failed(.negotiation, "\(peerName) asks for a client certificate; configure one that it accepts (\(reason))")
        case .some(let number) where number > SSL_AD_REASON_OFFSET:
            failed(.negotiation, "\(peerName) refused the TLS connection: \(reason)")
        default:
            failed(
                .negotiation, "the TLS \(isEstablished ? "connection" : "handshake") with \(peerName) failed: \(reason)"
            )
        }
    }

    private var alreadyFailed: TLSFailure {
        TLSFailure(.connection, "the TLS connection to \(peerName) has failed before")
    }

    private func failed(_ kind: TLSFailure.Kind, _ sentence: String, systemCode: Int32? = nil) -> TLSFailure {
        hasFailed = true
        if !isEstablished, let endpoint { context.resumption.forget(endpoint) }
        return TLSFailure(kind, sentence, systemCode: systemCode)
    }
}
