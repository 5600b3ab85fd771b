// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A value of one loop that is changed in place by whoever holds the cell.
///
/// A stored property of a class would do the same, but is asked at each change, by a search through all accesses of the
/// thread, whether somebody is in the middle of another: some seventy instructions. Here it is one flag, and the answer
/// the same: whoever changes a value that is being changed ends the process.
@safe
final class LoopCell<Value: ~Copyable> {
    private let base: UnsafeMutablePointer<Value>
    private var isOpen = false

    init(_ value: consuming Value) {
        unsafe base = .allocate(capacity: 1)
        unsafe base.initialize(to: value)
    }

    deinit {
        unsafe base.deinitialize(count: 1)
        unsafe base.deallocate()
    }

    @inline(__always)
    func with<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(!isOpen, "a value was changed while it was being changed")
        isOpen = true
        defer { isOpen = false }
        return unsafe try body(&base.pointee)
    }
}
