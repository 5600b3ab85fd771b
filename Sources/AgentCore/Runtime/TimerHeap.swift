// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The deadlines of one loop, earliest first.
///
/// Deadlines move at every byte of a busy connection, so a parker does not touch the heap for each: its entry stays at
/// the time it was first put in, and when that comes, the parker says whether it is due or where the entry belongs now.
/// An entry knows its place, so that a connection that ends takes its timer along.
struct TimerHeap {
    private var entries: [Entry] = []

    private struct Entry {
        var time: Int64
        // Unowned: a parker takes its entry out in its deinit.
        unowned let parker: Parker
    }

    /// Monotonic nanoseconds of the first entry; `Int64.max`: there is none.
    var earliest: Int64 { entries.isEmpty ? .max : entries[0].time }
    var count: Int { entries.count }

    mutating func insert(_ parker: Parker, at time: Int64) {
        precondition(parker.heapIndex == nil, "a parker has one timer")
        entries.append(Entry(time: time, parker: parker))
        parker.heapIndex = entries.count - 1
        siftUp(entries.count - 1)
    }

    mutating func remove(_ parker: Parker) {
        guard let index = parker.heapIndex else { return }
        parker.heapIndex = nil
        removeEntry(at: index)
    }

    private mutating func removeEntry(at index: Int) {
        let last = entries.removeLast()
        guard index < entries.count else { return }
        place(last, at: index)
        siftUp(index)
        siftDown(index)
    }

    /// Wakes every parker that is due at `now`, and moves the entries of those that are due later.
    mutating func expire(at now: Int64) {
        while earliest <= now {
            let parker = entries[0].parker
            parker.heapIndex = nil
            removeEntry(at: 0)
            if let later = parker.timerFired(at: now) { insert(parker, at: later) }
        }
    }

    private mutating func place(_ entry: Entry, at index: Int) {
        entries[index] = entry
        entry.parker.heapIndex = index
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        let entry = entries[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.time < entries[parent].time else { break }
            place(entries[parent], at: index)
            index = parent
        }
        place(entry, at: index)
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        let entry = entries[index]
        while true {
            var child = 2 * index + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].time < entries[child].time { child += 1 }
            guard entries[child].time < entry.time else { break }
            place(entries[child], at: index)
            index = child
        }
        place(entry, at: index)
    }
}
