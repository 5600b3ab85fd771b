// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite(.timeLimit(.minutes(1)))
struct LogWriterCutTests {
    private static func makePipe() -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        unsafe _ = pipe(&ends)
        return (ends[0], ends[1])
    }

    private static func text(of descriptor: Int32) -> String {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            all += chunk[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }

    @Test func `a line after one that was cut begins on a line of its own`() {
        HostSignals.ignoreBrokenPipes()
        let first = Self.makePipe()
        let second = Self.makePipe()
        let place = first.writing
        let writer = LogWriter(StandardStream(raw: place), style: .plain(.priority))
        // More than a pipe holds: the writer waits inside the second line, and then the reader goes.
        let room = fcntl(place, 1032)  // F_GETPIPE_SZ of fcntl(2)
        writer.write("whole\n\(String(repeating: "x", count: Int(room)))\n".utf8.span)
        var held: Int32 = 0
        while held < room { unsafe _ = ioctl(first.reading, UInt(FIONREAD), &held) }
        close(first.reading)
        writer.finish()
        #expect(writer.droppedLines == 1)
        dup2(second.writing, place)
        close(second.writing)
        writer.write("next\n".utf8.span)
        writer.write("last\n".utf8.span)
        writer.finish()
        close(place)
        let lines = Self.text(of: second.reading).split(separator: "\n", omittingEmptySubsequences: false)
        close(second.reading)
        #expect(lines.prefix(2) == ["", "next"])
        #expect(lines.filter { $0 == "last" }.count == 1)
        #expect(lines.filter(\.isEmpty).count == 2, "\(lines)")
    }
}
