// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// The only type that holds a secret: a token, a key, a rendered header field.
///
/// It prints as `<redacted>` however it is printed, dumped, interpolated or reflected; its memory is left out of core
/// dumps where the kernel allows it, and is overwritten when the last copy of the reference goes. Its value can be had
/// through `withExposedBytes` alone, so that a reviewer finds every use by that name.
struct Secret: Sendable {
    private let storage: Storage

    /// Copies `bytes`; the caller wipes its own copy.
    init(copying bytes: Span<UInt8>) {
        storage = Storage(copying: bytes)
    }

    /// Length in bytes. Not secret: logs may show it.
    var count: Int { storage.count }

    /// The value itself, for the time of the closure. Every use of a secret in this project is a call of this name.
    func withExposedBytes<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.bytes)
    }

    /// Compares in time that depends on the length alone.
    func isEqual(to other: Secret) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        let (left, right) = (storage.bytes, other.storage.bytes)
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    // Sendable: the memory is written in init alone, and freed in deinit, when no other reference is left.
    @safe
    private final class Storage: @unchecked Sendable {
        private let base: UnsafeMutableRawPointer
        let count: Int

        init(copying bytes: Span<UInt8>) {
            count = bytes.count
            unsafe base = malloc(max(1, count))!
            if count > 0 {
                unsafe bytes.withUnsafeBytes { unsafe _ = memcpy(base, $0.baseAddress!, $0.count) }
            }
        }

        deinit {
            unsafe explicit_bzero(base, count)
            unsafe free(base)
        }

        var bytes: Span<UInt8> {
            @_lifetime(borrow self)
            get {
                let span = unsafe Span(_unsafeStart: base.assumingMemoryBound(to: UInt8.self), count: count)
                return unsafe _overrideLifetime(span, borrowing: self)
            }
        }
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "<redacted>" }
    var debugDescription: String { "<redacted>" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
