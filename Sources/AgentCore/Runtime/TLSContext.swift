// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// Everything that TLS connections of one kind have in common: trust, own certificate, versions, resumable sessions.
///
/// Made once per `TLSConfiguration`, and shared by all loops. Reading its files blocks: make it when the configuration
/// is loaded, not on a loop. A replaced certificate file needs a new context.
///
/// ## Concurrency
/// Sendable: `handle` is configured in the initialisers alone. Afterwards it only serves SSL_new(3), which OpenSSL
/// guards by its own locks (openssl-threads(7)); `resumption` guards itself.
@safe
final class TLSContext: @unchecked Sendable {
    let handle: OpaquePointer
    let resumption = TLSResumption()

    private init(role: OpaquePointer?) throws(TLSFailure) {
        OpenSSLErrors.clear()
        guard let handle = unsafe SSL_CTX_new(role) else {
            throw TLSFailure(.configuration, CryptoFailure(openSSL: "OpenSSL gives no TLS context").description)
        }
        unsafe self.handle = handle
        unsafe copenssl_set_streaming_modes(handle)
        unsafe copenssl_set_strict_options(handle)
        // One read(2) fetches whole records and what follows them, instead of two for each record.
        unsafe copenssl_set_read_ahead(handle)
        // An encrypted key would make OpenSSL ask for its pass phrase on the terminal.
        unsafe SSL_CTX_set_default_passwd_cb(handle) { _, _, _, _ in -1 }
        // TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
        guard unsafe copenssl_set_min_version(handle, TLS1_2_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(handle, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20") == 1
        else {
            throw TLSFailure(.configuration, CryptoFailure(openSSL: "OpenSSL refuses TLS 1.2").description)
        }
    }

    deinit {
        unsafe SSL_CTX_free(handle)
    }

    /// For calls to upstreams and issuers: the peer's certificate is always verified.
    convenience init(client configuration: TLSConfiguration = TLSConfiguration()) throws(TLSFailure) {
        unsafe try self.init(role: TLS_client_method())
        unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, recordVerification)
        if let file = configuration.authorityFile {
            try trust(PEMFile.read(file, as: .authorities).certificates(), from: file)
        } else {
            unsafe try SystemTrust.install(in: handle)
        }
        if let identity = configuration.clientCertificate {
            try present(identity)
        }
        let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
        guard unsafe SSL_CTX_set_alpn_protos(handle, protocols, UInt32(protocols.count)) == 0 else {
            throw TLSFailure(.configuration, CryptoFailure(openSSL: "ALPN").description)
        }
        unsafe copenssl_hand_sessions_out(handle)
        unsafe SSL_CTX_sess_set_new_cb(handle, keepResumable)
        OpenSSLErrors.clear()
    }

    /// For the demo's own servers and for tests.
    convenience init(server configuration: TLSServerConfiguration) throws(TLSFailure) {
        unsafe try self.init(role: TLS_server_method())
        let chain = PEMFile(
            name: "server certificate", contents: Secret(copying: configuration.certificateChain.utf8.span))
        let key = PEMFile(name: "server key", contents: configuration.key)
        try present(chain.certificates(), key: key.privateKey(), certificateName: chain.name, keyName: key.name)
        if let authorities = configuration.clientAuthorities {
            try trust(
                PEMFile(name: "client authorities", contents: Secret(copying: authorities.utf8.span)).certificates(),
                from: "client authorities")
            unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        }
        let identifier = Array("gateway-agent".utf8)
        unsafe SSL_CTX_set_session_id_context(handle, identifier, UInt32(identifier.count))
        if configuration.maximumVersion == .v1_2 { unsafe _ = copenssl_set_max_version(handle, TLS1_2_VERSION) }
        unsafe SSL_CTX_set_alpn_select_cb(handle, selectHTTP1, nil)
        OpenSSLErrors.clear()
    }

    private func trust(_ authorities: [X509Certificate], from file: String) throws(TLSFailure) {
        let store = unsafe SSL_CTX_get_cert_store(handle)
        for authority in authorities where unsafe X509_STORE_add_cert(store, authority.handle) != 1 {
            throw TLSFailure(
                .configuration,
                CryptoFailure(openSSL: "\(TLSConfiguration.Role.authorities.rawValue) \(file)").description)
        }
    }

    private func present(_ identity: TLSConfiguration.ClientCertificate) throws(TLSFailure) {
        let chain = try PEMFile.read(identity.certificateFile, as: .certificate)
        let key = try PEMFile.read(identity.keyFile, as: .key)
        try present(
            chain.certificates(), key: key.privateKey(), certificateName: chain.name, keyName: key.name)
    }

    private func present(
        _ chain: [X509Certificate], key: SigningKey, certificateName: String, keyName: String
    ) throws(TLSFailure) {
        guard let leaf = chain.first else { return }
        guard unsafe SSL_CTX_use_certificate(handle, leaf.handle) == 1 else {
            throw TLSFailure(.configuration, CryptoFailure(openSSL: certificateName).description)
        }
        guard unsafe X509_check_private_key(leaf.handle, key.handle) == 1 else {
            OpenSSLErrors.clear()
            throw TLSFailure(
                .configuration,
                "\(keyName) does not belong to \(certificateName); give the key that the certificate was issued for")
        }
        guard unsafe SSL_CTX_use_PrivateKey(handle, key.handle) == 1 else {
            throw TLSFailure(.configuration, CryptoFailure(openSSL: keyName).description)
        }
        for intermediate in chain.dropFirst() {
            unsafe _ = copenssl_add_chain_certificate(handle, intermediate.handle)
        }
    }
}

/// Called by OpenSSL for each resumable session that a server hands out; 1 means that we own the reference now.
private func keepResumable(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
    guard let owner = unsafe TLSSession.owner(of: ssl), let session = unsafe session else { return 0 }
    unsafe owner.keep(session)
    return 1
}

/// Called by OpenSSL for each certificate it has looked at. Passes the verdict on unchanged, and notes why it was bad.
private func recordVerification(_ accepted: Int32, _ store: OpaquePointer?) -> Int32 {
    if accepted != 1, let store = unsafe store {
        let ssl = unsafe OpaquePointer(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()))
        unsafe TLSSession.owner(of: ssl)?.noteRejection(by: store)
    }
    return accepted
}

/// Called by OpenSSL on the server side with the client's list of protocols.
private func selectHTTP1(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let chosen = unsafe chosen, let chosenLength = unsafe chosenLength, let offered = unsafe offered else {
        return SSL_TLSEXT_ERR_NOACK
    }
    let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredLength))
    var start = 0
    while start < list.count {
        let length = unsafe Int(list[start])
        let end = start + 1 + length
        guard end <= list.count else { break }
        if unsafe list[(start + 1)..<end].elementsEqual("http/1.1".utf8) {
            unsafe chosen.pointee = offered + start + 1
            unsafe chosenLength.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        start = end
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
