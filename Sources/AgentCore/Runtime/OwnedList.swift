// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// An array of values that cannot be copied: it owns them, and hands them over whole.
@safe
struct OwnedList<Element: ~Copyable>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = 4
        unsafe base = .allocate(capacity: capacity)
    }

    deinit {
        unsafe base.deinitialize(count: count)
        unsafe base.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// Looks at an element, or changes it, where it stands.
    subscript(index: Int) -> Element {
        unsafeAddress {
            precondition(index >= 0 && index < count, "index outside the list")
            return unsafe UnsafePointer(base + index)
        }
        unsafeMutableAddress {
            precondition(index >= 0 && index < count, "index outside the list")
            return unsafe base + index
        }
    }

    mutating func append(_ element: consuming Element) {
        if count == capacity {
            let grown = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
            unsafe grown.moveInitialize(from: base, count: count)
            unsafe base.deallocate()
            unsafe base = grown
            capacity *= 2
        }
        unsafe (base + count).initialize(to: element)
        count += 1
    }

    mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        count -= 1
        return unsafe (base + count).move()
    }

    /// Ends the first `some` elements.
    mutating func removeFirst(_ some: Int) {
        precondition(some >= 0 && some <= count, "more removed than the list has")
        unsafe base.deinitialize(count: some)
        count -= some
        unsafe base.moveInitialize(from: base + some, count: count)
    }

    mutating func remove(at index: Int) -> Element {
        precondition(index >= 0 && index < count, "index outside the list")
        let element = unsafe (base + index).move()
        count -= 1
        unsafe (base + index).moveInitialize(from: base + index + 1, count: count - index)
        return element
    }
}
