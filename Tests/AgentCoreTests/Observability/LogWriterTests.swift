// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// A pipe whose reader may stall.
private final class Pipe: Sendable {
    let reading, writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        unsafe _ = pipe(&ends)
        (reading, writing) = (ends[0], ends[1])
    }

    /// Reads until `text` has come.
    func read(until text: String) -> String {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while !String(decoding: all, as: UTF8.self).contains(text) {
            let count = unsafe Glibc.read(reading, &chunk, chunk.count)
            guard count > 0 else { break }
            all += chunk[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// Until no byte fits.
    func fill() {
        _ = setFlags(O_NONBLOCK)
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 4096)
        while unsafe write(writing, chunk, chunk.count) > 0 {}
        _ = setFlags(0)
    }

    private func setFlags(_ flags: Int32) -> Int32 { fcntl(writing, F_SETFL, flags) }
}

@Suite(.timeLimit(.minutes(1)))
struct LogWriterTests {
    @Test func `what finds no room is dropped and counted, and so is all behind it until room is made`() {
        var backlog = LogBacklog(limitBytes: 8)
        let entry = JournalEntry(priority: .info, message: "m")
        #expect(backlog.isEmpty)
        #expect(backlog.add("a\n".utf8.span) == 0)
        #expect(backlog.add("bc\n".utf8.span) == 0)
        #expect(backlog.add("d\ne\n".utf8.span) == 2)
        #expect(backlog.add("f\n".utf8.span) == 1)
        #expect(backlog.add(entry) == 1)
        let (pieces, dropped) = backlog.take()
        #expect(pieces == [.lines(Array("a\nbc\n".utf8))])
        #expect(dropped == 4)
        #expect(backlog.isEmpty)
        #expect(backlog.add(entry) == 0)
        #expect(backlog.add("longer than all the room\n".utf8.span) == 1)
        #expect(backlog.take().pieces == [.entry(entry)])
    }

    @Test func `memory of what was written serves again, and shows nothing of it`() {
        let entry = JournalEntry(priority: .info, message: "m")
        var backlog = LogBacklog(limitBytes: 4096)
        #expect(backlog.add("a line of old\n".utf8.span) == 0)
        var taken = backlog.take().pieces
        // What came while it was written is not touched.
        #expect(backlog.add(entry) == 0)
        backlog.recycle(&taken)
        #expect(backlog.add("new\n".utf8.span) == 0)
        taken = backlog.take().pieces
        #expect(taken == [.entry(entry), .lines(Array("new\n".utf8))])
        backlog.recycle(&taken)
        #expect(backlog.isEmpty)
        #expect(backlog.add("last\n".utf8.span) == 0)
        #expect(backlog.take().pieces == [.lines(Array("last\n".utf8))])
    }

    @Test func `a reader that stalls costs lines and no calls, and is told how many`() async throws {
        let pipe = Pipe()
        pipe.fill()
        let writer = LogWriter(StandardStream(raw: pipe.writing), style: .json, limitBytes: 2048)
        try await withAgent(sink: writer) { _, _ in
        } _: { agent in
            let caller = try agent.connect()
            for _ in 0..<50 { #expect(try caller.get("/-/healthy").status == 200) }
            #expect(writer.droppedLines > 0)
            let metrics = try caller.get("/-/metrics").body
            #expect(metrics.contains("gateway_agent_log_lines_dropped_total"))
            #expect(!metrics.contains("gateway_agent_log_lines_dropped_total 0"))
            let text = pipe.read(until: "\"dropped\":")
            #expect(text.contains("lines of the log were dropped"))
            #expect(text.contains("\"message\":\"serving\"") || text.contains("\"message\":\"call\""))
        }
    }

    @Test func `an entry that the journal does not take becomes a line, and all is out when it is finished`() {
        let pipe = Pipe()
        let taken = Shared<[String]>([])
        let writer = LogWriter(StandardStream(raw: pipe.writing), style: .plain(.priority)) { entry in
            taken.update { $0.append(entry.message) }
            return entry.message != "two"
        }
        writer.write(JournalEntry(priority: .info, message: "one"))
        writer.write(JournalEntry(priority: .warning, message: "two"))
        writer.write("<6>three\n".utf8.span)
        writer.finish()
        #expect(taken.value == ["one", "two"])
        #expect(pipe.read(until: "three\n") == "<4>two\n<6>three\n")
        #expect(writer.droppedLines == 0)
    }
}
