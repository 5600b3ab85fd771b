// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What waits to be written to the log: bounded, so that a reader that does not keep up costs lines and no memory.
///
/// Once one piece has found no room, all that follow are dropped until what waits is taken: so the place of the gap is
/// known, and is told behind what was written before it.
struct LogBacklog: Sendable {
    enum Piece: Sendable, Equatable {
        /// Whole lines.
        case lines([UInt8])
        case entry(JournalEntry)
    }

    let limitBytes: Int
    private var pieces: [Piece] = []
    private var bytes = 0
    private var dropped: UInt64 = 0
    /// Memory of lines that have been written, for the next.
    private var spare: [UInt8] = []

    init(limitBytes: Int) {
        self.limitBytes = limitBytes
    }

    var isEmpty: Bool { pieces.isEmpty && dropped == 0 }

    /// - Returns: how many lines were dropped.
    mutating func add(_ lines: Span<UInt8>) -> UInt64 {
        guard makeRoom(for: lines.count) else {
            var count: UInt64 = 0
            for index in lines.indices where lines[index] == UInt8(ascii: "\n") { count += 1 }
            dropped += count
            return count
        }
        var gathered: [UInt8] = []
        if case .lines(let last)? = pieces.last {
            gathered = last
            // Let go of, so that it is not copied.
            pieces.removeLast()
        } else {
            swap(&gathered, &spare)
        }
        gathered.append(copying: lines)
        pieces.append(.lines(gathered))
        return 0
    }

    /// - Returns: how many entries were dropped.
    mutating func add(_ entry: JournalEntry) -> UInt64 {
        guard makeRoom(for: entry.message.utf8.count + 512) else {
            dropped += 1
            return 1
        }
        pieces.append(.entry(entry))
        return 0
    }

    private mutating func makeRoom(for count: Int) -> Bool {
        guard dropped == 0, pieces.isEmpty || bytes + count <= limitBytes else { return false }
        bytes += count
        return true
    }

    /// What is to be written now, in order, and how many lines were dropped behind it.
    mutating func take() -> (pieces: [Piece], dropped: UInt64) {
        defer {
            pieces = []
            bytes = 0
            dropped = 0
        }
        return (pieces, dropped)
    }

    /// Takes the memory of what was taken and has been written: a line then costs no allocation.
    mutating func recycle(_ written: inout [Piece]) {
        if case .lines(var lines)? = written.popLast(), lines.capacity <= Self.spareLimit {
            lines.removeAll(keepingCapacity: true)
            spare = lines
        }
        if pieces.isEmpty {
            written.removeAll(keepingCapacity: true)
            swap(&pieces, &written)
        }
    }

    /// Bytes of memory that are kept at most.
    private static let spareLimit = 64 << 10
}
