// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// Bytes nobody can foresee: RAND_bytes(3).
enum RandomBytes {
    static func make(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            // The seed comes from getrandom(2). Going on without one would be worse than ending here.
            precondition(unsafe RAND_bytes(bytes.baseAddress, Int32(count)) == 1, "no random bytes from OpenSSL")
            initialized = count
        }
    }
}
