// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// The OpenSSL that the process runs with, which Debian may have updated since the build.
enum TLSLibrary {
    static var version: String {
        unsafe OpenSSL_version(OPENSSL_VERSION).map { unsafe String(cString: $0) } ?? "OpenSSL"
    }
}
