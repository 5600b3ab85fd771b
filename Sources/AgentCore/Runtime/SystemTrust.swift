// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL
import Glibc

/// The authorities that this host trusts, read once for all contexts.
///
/// OpenSSL reads the whole bundle, 140 certificates, which takes 20 ms and more than a megabyte. It is read anew when its
/// file or folder is another than it was.
enum SystemTrust {
    private static let known = Mutex<Known?>(nil)

    private struct Known {
        let store: Store
        let files: [FileStamp?]
    }

    /// ## Concurrency
    /// Sendable: the pointer is handed to SSL_CTX_set1_cert_store(3) alone, and an X509_STORE guards itself by a lock of
    /// its own (X509_STORE_add_cert(3)).
    @safe
    private final class Store: @unchecked Sendable {
        let handle: OpaquePointer

        init() throws(TLSFailure) {
            guard let handle = unsafe X509_STORE_new() else {
                throw TLSFailure(.configuration, CryptoFailure(openSSL: "system trust store").description)
            }
            unsafe self.handle = handle
            guard unsafe X509_STORE_set_default_paths(handle) == 1 else {
                throw TLSFailure(.configuration, CryptoFailure(openSSL: "system trust store").description)
            }
        }

        deinit {
            unsafe X509_STORE_free(handle)
        }
    }

    /// Has a context that is being made trust them. Blocks.
    static func install(in context: OpaquePointer) throws(TLSFailure) {
        // Read under the lock: who waits for it blocks in any case, and would only read the same.
        let store = try known.withLock { (known) throws(TLSFailure) -> Store in
            // Before they are read: what changes between is seen the next time.
            let files = paths.map { FileStamp(of: $0) }
            if let known, known.files == files { return known.store }
            let store = try Store()
            known = Known(store: store, files: files)
            return store
        }
        unsafe SSL_CTX_set1_cert_store(context, store.handle)
    }

    /// Of the bundle and of the folder: Debian's, unless SSL_CERT_FILE or SSL_CERT_DIR name others.
    static var paths: [String] {
        unsafe [
            path(X509_get_default_cert_file_env(), X509_get_default_cert_file()),
            path(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()),
        ]
    }

    private static func path(_ variable: UnsafePointer<CChar>?, _ usual: UnsafePointer<CChar>?) -> String {
        if let variable = unsafe variable, let value = unsafe getenv(variable) { return unsafe String(cString: value) }
        return unsafe usual.map { unsafe String(cString: $0) } ?? ""
    }
}

/// Tells one state of a file from another, without reading it.
struct FileStamp: Equatable {
    private let facts: [Int]

    /// nil if there is no such file.
    init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        facts = [
            Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }
}
