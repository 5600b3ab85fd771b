// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Finds the place of a name by its bytes, as they stand in a request: no text is made of them. Of equal names the first.
struct NameIndex: Sendable {
    private let names: [[UInt8]]
    /// Places by the low bits of the names' hash, the next free slot if that is taken; −1: none.
    private let slots: [Int32]

    init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }
        var size = 4
        while size < names.count * 2 { size *= 2 }
        var slots = [Int32](repeating: -1, count: size)
        for (place, name) in self.names.enumerated() {
            var slot = Self.slot(name.span, size)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int32(place)
        }
        self.slots = slots
    }

    subscript(name: Span<UInt8>) -> Int? {
        var slot = Self.slot(name, slots.count)
        while slots[slot] >= 0 {
            let place = Int(slots[slot])
            if Self.equal(name, names[place]) { return place }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private static func equal(_ name: Span<UInt8>, _ other: [UInt8]) -> Bool { name.equals(other.span) }

    /// FNV-1a. The names come from the configuration, so nobody outside can make them collide.
    private static func slot(_ name: Span<UInt8>, _ size: Int) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in name.indices { hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: hash) & (size - 1)
    }
}
