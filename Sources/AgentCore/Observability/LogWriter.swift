// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The log of the daemon: takes lines and entries of the journal without ever waiting, and writes them on a thread of its
/// own. What finds no room while the reader does not keep up is dropped, counted, and told of once there is room.
///
/// ## Concurrency
/// Usable from any thread. The lock is held while bytes are copied, and never while they are written.
struct LogWriter: LogSink {
    private let core: Core
    private let thread: OutputThread

    /// What waits for a reader at most, besides what is being written.
    static let limitBytes = 1 << 20

    /// - Parameter journal: takes entries; false when it could not, and they become lines.
    init(
        _ stream: StandardStream, style: LogStyle, journal: Log.JournalSink? = nil,
        limitBytes: Int = Self.limitBytes
    ) {
        let core = Core(stream, style, journal, limitBytes)
        self.core = core
        thread = OutputThread { core.writeOut() }
    }

    func write(_ lines: Span<UInt8>) {
        if core.add(lines) { thread.wake() }
    }

    func write(_ entry: JournalEntry) {
        if core.add(entry) { thread.wake() }
    }

    var droppedLines: UInt64 { core.droppedLines }

    func finish() { thread.settle(within: 2) }

    private final class Core: Sendable {
        private let stream: StandardStream
        private let style: LogStyle
        private let journal: Log.JournalSink?
        private let state: Mutex<State>

        struct State {
            var backlog: LogBacklog
            /// In all, and not told of yet.
            var dropped: UInt64 = 0
            var untold: UInt64 = 0
            /// The last write ended before its line did: the next one would be glued to it.
            var isInsideLine = false
        }

        init(_ stream: StandardStream, _ style: LogStyle, _ journal: Log.JournalSink?, _ limitBytes: Int) {
            self.stream = stream
            self.style = style
            self.journal = journal
            state = Mutex(State(backlog: LogBacklog(limitBytes: limitBytes)))
        }

        var droppedLines: UInt64 { state.withLock { $0.dropped } }

        /// - Returns: whether nothing was waiting, so that the thread has to be woken.
        func add(_ lines: Span<UInt8>) -> Bool {
            state.withLock { state in
                let wasEmpty = state.backlog.isEmpty
                state.dropped += state.backlog.add(lines)
                return wasEmpty
            }
        }

        func add(_ entry: JournalEntry) -> Bool {
            state.withLock { state in
                let wasEmpty = state.backlog.isEmpty
                state.dropped += state.backlog.add(entry)
                return wasEmpty
            }
        }

        /// On the thread: writes until nothing waits.
        func writeOut() {
            while var pieces = take() {
                for piece in pieces {
                    let lost = write(piece)
                    if lost > 0 {
                        state.withLock { state in
                            state.dropped += lost
                            state.untold += lost
                        }
                    }
                }
                let untold = state.withLock { state in
                    state.backlog.recycle(&pieces)
                    return state.untold
                }
                if untold > 0, tell(untold) { state.withLock { $0.untold -= untold } }
            }
        }

        private func take() -> [LogBacklog.Piece]? {
            state.withLock { state in
                guard !state.backlog.isEmpty else { return nil }
                let (pieces, dropped) = state.backlog.take()
                state.untold += dropped
                return pieces
            }
        }

        /// - Returns: how many lines were lost, because the reader is gone or the disk is full.
        private func write(_ piece: LogBacklog.Piece) -> UInt64 {
            switch piece {
            case .lines(let bytes):
                return put(bytes.span)
            case .entry(let entry):
                if let journal, journal(entry) { return 0 }
                return put("<\(entry.priority.rawValue)>\(entry.message)\n".utf8.span)
            }
        }

        /// - Parameter bytes: whole lines.
        /// - Returns: how many of them were not written to their end.
        private func put(_ bytes: Span<UInt8>) -> UInt64 {
            let lineEnd = UInt8(ascii: "\n")
            var written = 0
            if !state.withLock(\.isInsideLine) || stream.write("\n".utf8.span) {
                written = stream.writePart(bytes)
                let isInsideLine = written > 0 && bytes[written - 1] != lineEnd
                state.withLock { $0.isInsideLine = isInsideLine }
            }
            var lost: UInt64 = 0
            for index in written..<bytes.count where bytes[index] == lineEnd { lost += 1 }
            return lost
        }

        private func tell(_ count: UInt64) -> Bool {
            let message: StaticString = "lines of the log were dropped, since its reader did not keep up"
            if let journal, journal(JournalEntry(.warning, message, ["dropped": .count(count)], as: nil)) {
                return true
            }
            var line = ByteBuffer(capacity: 256)
            line.beginLine(style, .warning, wall: SystemClock().now().wall, message)
            line.append(field: "dropped", .count(count), style)
            line.endLine(style)
            return put(line.readable) == 0
        }
    }
}
