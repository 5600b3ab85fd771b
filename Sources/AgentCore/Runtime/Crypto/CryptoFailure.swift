// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// A cryptographic operation that could not be done. Its sentence never holds key material.
struct CryptoFailure: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Adds the reason that OpenSSL gives, and leaves its error queue empty.
    init(openSSL attempt: String) {
        description = "\(attempt): \(OpenSSLErrors.take()?.reason ?? "no reason given by OpenSSL")"
    }
}

/// The error queue of OpenSSL, one a thread: err(7).
///
/// What is left in it would be blamed on the next call, so whoever finds an error takes all of it.
enum OpenSSLErrors {
    struct Entry {
        let code: UInt
        /// The reason in OpenSSL's words, or that of strerror(3) for a failed system call.
        let reason: String
        /// The reason number within its library, such as `SSL_R_WRONG_VERSION_NUMBER`.
        var number: Int32 { ERR_GET_REASON(code) }
    }

    /// The oldest entry, which is the cause of the later ones. The queue is empty afterwards.
    static func take() -> Entry? {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return nil }
        if let reason = unsafe ERR_reason_error_string(code) {
            return Entry(code: code, reason: unsafe String(cString: reason))
        }
        let number = ERR_GET_REASON(code)
        return Entry(code: code, reason: SystemError("openssl", code: number).reason)
    }

    static func clear() {
        ERR_clear_error()
    }

    /// Whether nothing is left behind on this thread; for tests.
    static var isEmpty: Bool { ERR_peek_error() == 0 }
}
