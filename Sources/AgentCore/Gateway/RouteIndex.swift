// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Finds the route of a path in one pass over its bytes, however many routes there are.
///
/// A prefix ends with a slash, so that only the places of slashes in a path can end one: the hash is carried along, and
/// looked up at each of them. Knows numbers and bytes, no objects: to look at a route would mean to count a reference.
struct RouteIndex: Sendable {
    /// All prefixes, one behind the other, and where each begins and ends.
    private let text: [UInt8]
    private let prefixes: [Range<Int>]
    /// Numbers of routes by the low bits of their hash, the next free slot if that is taken; −1: none.
    private let slots: [Int32]
    private let longest: Int

    init(_ routes: [Route]) {
        var text: [UInt8] = []
        prefixes = routes.map { route in
            text += route.prefix
            return text.count - route.prefix.count..<text.count
        }
        self.text = text
        longest = routes.map(\.prefix.count).max() ?? 0
        var size = 4
        while size < routes.count * 2 { size *= 2 }
        var slots = [Int32](repeating: -1, count: size)
        for (number, route) in routes.enumerated() {
            var slot = Int(truncatingIfNeeded: route.prefix.reduce(Self.start, Self.add)) & (size - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int32(number)
        }
        self.slots = slots
    }

    /// The number of the route with the longest prefix that fits, or with the prefix itself without its last slash.
    func route(for path: Span<UInt8>) -> Int? {
        var found: Int?
        var hash = Self.start
        for index in 0..<min(path.count, longest) {
            hash = Self.add(hash, path[index])
            if path[index] == UInt8(ascii: "/"), let route = route(hash, index + 1, path) { found = route }
        }
        if path.count < longest, path.isEmpty || path[path.count - 1] != UInt8(ascii: "/") {
            found = route(Self.add(hash, UInt8(ascii: "/")), path.count + 1, path) ?? found
        }
        return found
    }

    /// The route whose prefix has this hash, this length, and these bytes.
    private func route(_ hash: UInt64, _ count: Int, _ path: Span<UInt8>) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let number = Int(slots[slot])
            if prefixes[number].count == count, isPrefix(prefixes[number], of: path) { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// `/vercel/` serves `/vercel/…` and `/vercel`.
    private func isPrefix(_ range: Range<Int>, of path: Span<UInt8>) -> Bool {
        guard path.count >= range.count - 1 else { return false }
        for index in 0..<min(range.count, path.count) where path[index] != text[range.lowerBound + index] {
            return false
        }
        return true
    }

    // FNV-1a: a multiplication a byte. Prefixes come from the configuration, so nobody outside can make them collide.
    private static let start: UInt64 = 0xCBF2_9CE4_8422_2325

    private static func add(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
}
