// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A value of one loop that is changed in place, as a constant of the class that owns it.
///
/// A stored variable of a class would do the same, but is asked at each change, by a search through all accesses of the
/// thread, whether somebody is in the middle of another: some seventy instructions. Here it is one flag, and the answer
/// the same: whoever changes a value that is being changed ends the process. And there is no reference to be counted.
@safe
struct LoopCell<Value: ~Copyable>: ~Copyable {
    private let base: UnsafeMutablePointer<Content>

    private struct Content: ~Copyable {
        var value: Value
        var isOpen = false
    }

    init(_ value: consuming Value) {
        unsafe base = .allocate(capacity: 1)
        unsafe base.initialize(to: Content(value: value))
    }

    deinit {
        unsafe base.deinitialize(count: 1)
        unsafe base.deallocate()
    }

    @inline(__always)
    func with<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(unsafe !base.pointee.isOpen, "a value was changed while it was being changed")
        unsafe base.pointee.isOpen = true
        defer { unsafe base.pointee.isOpen = false }
        return unsafe try body(&base.pointee.value)
    }
}
