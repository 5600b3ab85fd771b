// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A value that stays where it is: whoever owns the box hands over its address.
///
/// For large values that cannot be copied and go through several asynchronous functions: each of these keeps in its frame,
/// for as long as it is suspended, room for every value that moves through it. A silent stream held 20 KB so.
@safe
struct OwnedBox<Value: ~Copyable>: ~Copyable {
    private let base: UnsafeMutablePointer<Value>

    init(_ value: consuming Value) {
        unsafe base = .allocate(capacity: 1)
        unsafe base.initialize(to: value)
    }

    deinit {
        unsafe base.deinitialize(count: 1)
        unsafe base.deallocate()
    }

    var value: Value {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(base) }
        @inline(__always) unsafeMutableAddress { unsafe base }
    }
}
