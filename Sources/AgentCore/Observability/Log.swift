// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Tells the story of the agent, a line an event: a fixed message, and what varies in fields.
///
/// ## Concurrency
/// A value, usable anywhere. Each call renders into a buffer of its own and hands whole lines to the sink in one piece,
/// so lines of several threads never mix and no lock is needed. What happens once a request goes through `AccessLog`.
struct Log: Sendable {
    let level: LogLevel
    let style: LogStyle
    let sink: any LogSink
    let clock: any HostClock
    /// Takes entries with their fields kept apart; false when it could not. Nil where lines are all there is.
    ///
    /// What is told once a call stays with the sink, many lines in one piece: an entry of its own costs more than the
    /// whole rest of a call.
    let journal: JournalSink?

    /// Called from any thread.
    typealias JournalSink = @Sendable (JournalEntry) -> Bool

    init(
        level: LogLevel, style: LogStyle, sink: any LogSink, clock: any HostClock = SystemClock(),
        journal: JournalSink? = nil
    ) {
        self.level = level
        self.style = style
        self.sink = sink
        self.clock = clock
        self.journal = journal
    }

    /// Says nothing.
    static let silent = Log(level: .error, style: .json, sink: NoSink())

    /// - Parameter fields: not made if the level is not told.
    func write(
        _ level: LogLevel, _ message: StaticString,
        _ fields: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:], as event: LifeEvent? = nil
    ) {
        guard level >= self.level else { return }
        let fields = fields()
        if let journal, journal(JournalEntry(level, message, fields, as: event)) { return }
        var line = ByteBuffer(capacity: 512)
        line.beginLine(style, level, wall: clock.now().wall, message)
        for (key, value) in fields { line.append(field: key, value, style) }
        line.endLine(style)
        sink.write(line.readable)
    }

    func debug(_ message: StaticString, _ fields: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:]) {
        write(.debug, message, fields())
    }

    func info(_ message: StaticString, _ fields: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:]) {
        write(.info, message, fields())
    }

    func warning(_ message: StaticString, _ fields: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:]) {
        write(.warning, message, fields())
    }

    func error(_ message: StaticString, _ fields: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:]) {
        write(.error, message, fields())
    }

    private struct NoSink: LogSink {
        func write(_ lines: Span<UInt8>) {}
    }
}

/// Where lines go. Called from any thread, with whole lines.
protocol LogSink: Sendable {
    func write(_ lines: Span<UInt8>)
    /// Lines that nobody will read, because the reader did not keep up or is gone.
    var droppedLines: UInt64 { get }
    /// Waits, for a bounded time, until what was written has gone out. Before the process ends; never on a loop.
    func finish()
}

extension LogSink {
    var droppedLines: UInt64 { 0 }
    func finish() {}
}

extension StandardStream: LogSink {
    func write(_ lines: Span<UInt8>) {
        let _: Bool = write(lines)
    }
}
