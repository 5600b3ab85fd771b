// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What is to happen, in the order of time; at one moment in the order of hosts, so that a run repeats to the last bit.
///
/// Events are sorted into seconds first: an event far ahead costs one append, and a heap holds the present second alone.
struct EventQueue {
    enum Kind: UInt8 {
        case question, timer, expiry
    }

    struct Event {
        /// Nanoseconds from the start.
        let at: Int64
        let host: UInt32
        let kind: Kind

        fileprivate func isBefore(_ other: Event) -> Bool {
            (at, host, kind.rawValue) < (other.at, other.host, other.kind.rawValue)
        }
    }

    private var seconds: [[Event]] = []
    private var present: [Event] = []
    private var second = 0

    mutating func add(_ event: Event) {
        let place = Int(event.at / 1_000_000_000)
        guard place > second else { return push(event) }
        while seconds.count <= place { seconds.append([]) }
        seconds[place].append(event)
    }

    mutating func next() -> Event? {
        while present.isEmpty {
            second += 1
            guard second < seconds.count else { return nil }
            let events = seconds[second]
            seconds[second] = []
            present.reserveCapacity(events.count)
            for event in events { push(event) }
        }
        return pop()
    }

    private mutating func push(_ event: Event) {
        present.append(event)
        var child = present.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard present[child].isBefore(present[parent]) else { break }
            present.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func pop() -> Event {
        let first = present[0]
        let last = present.removeLast()
        guard !present.isEmpty else { return first }
        present[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < present.count && present[child].isBefore(present[least]) { least = child }
            if least == parent { return first }
            present.swapAt(parent, least)
            parent = least
        }
    }
}
