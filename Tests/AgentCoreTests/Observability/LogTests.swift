// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// Keeps every write apart.
final class MemorySink: LogSink {
    private let written = Mutex<[String]>([])

    var writes: [String] { written.withLock { $0 } }

    func write(_ lines: Span<UInt8>) {
        var bytes: [UInt8] = []
        for index in lines.indices { bytes.append(lines[index]) }
        let text = String(decoding: bytes, as: UTF8.self)
        written.withLock { $0.append(text) }
    }
}

private struct StoppedClock: HostClock {
    /// 2026-11-21T08:29:01.123Z
    func now() -> HostTime { HostTime(wall: 1_795_249_741_123_456_789, boot: 0) }
}

private func log(_ style: LogStyle, _ level: LogLevel = .debug) -> (Log, MemorySink) {
    let sink = MemorySink()
    return (Log(level: level, style: style, sink: sink, clock: StoppedClock()), sink)
}

@Suite struct LogTests {
    @Test(arguments: [
        (
            LogStyle.plain(.time),
            "2026-11-21T08:29:01.123Z info  listening address=127.0.0.1:4748 threads=4 unix=\"\" ok=true\n"
        ),
        (.plain(.priority), "<6>listening address=127.0.0.1:4748 threads=4 unix=\"\" ok=true\n"),
        (
            .json,
            """
            {"time":"2026-11-21T08:29:01.123Z","level":"info","message":"listening","address":"127.0.0.1:4748",\
            "threads":4,"unix":"","ok":true}\n
            """
        ),
    ])
    func `a line is a message and its fields, in one write`(style: LogStyle, line: String) {
        let (log, sink) = log(style)
        log.info("listening", ["address": "127.0.0.1:4748", "threads": 4, "unix": "", "ok": true])
        #expect(sink.writes == [line])
    }

    @Test func `what is below the level is not even made`() {
        let (log, sink) = log(.json, .warning)
        func unwanted() -> LogValue {
            Issue.record("a field of a line that is not told was made")
            return ""
        }
        log.debug("no", ["a": unwanted()])
        log.info("no", ["a": unwanted()])
        log.warning("yes")
        log.error("yes")
        #expect(sink.writes.count == 2)
    }

    @Test(arguments: [
        ("a b", "\"a b\""), ("a=b", "\"a=b\""), ("say \"x\"", #""say \"x\"""#), ("back\\slash", #""back\\slash""#),
        ("plain/é", "plain/é"),
        ("two\nlines\r", #""two\nlines\r""#), ("\u{1B}[31mred", #""\u001b[31mred""#), ("\u{9B}31m", "?31m"),
        ("", "\"\""),
        (String(repeating: "x", count: 600), String(repeating: "x", count: 512) + "…"),
        (String(repeating: "é", count: 300), String(repeating: "é", count: 256) + "…"),
        (String(repeating: "x", count: 511) + "é", String(repeating: "x", count: 511) + "…"),
    ])
    func `no text breaks out of its field`(text: String, shown: String) throws {
        let (plain, plainSink) = log(.plain(.priority))
        plain.info("m", ["k": .text(text)])
        #expect(plainSink.writes == ["<6>m k=\(shown)\n"])
        let (json, jsonSink) = log(.json)
        json.info("m", ["k": .text(text)])
        let line = try #require(jsonSink.writes.first)
        #expect(line.utf8.filter { $0 < 0x20 }.count == 1)
        let value = try JSONValue.decode(line.utf8.span)["k"]?.stringValue
        #expect(value.map { $0 == text || text.utf8.count > 512 || text.contains("\u{9B}") } == true)
    }

    @Test func `durations are seconds, dates are UTC, secrets are redacted`() {
        let (log, sink) = log(.plain(.priority))
        let secret = Secret(copying: Array("hunter2".utf8).span)
        log.error(
            "m",
            [
                "took": .duration(.milliseconds(12_500)), "short": .duration(.microseconds(250)),
                "none": .duration(.zero),
                "until": .time(HostTime(wall: 951_782_400_000_000_000, boot: 0)), "secret": "\(secret)",
            ])
        #expect(
            sink.writes == ["<3>m took=12.5s short=0.00025s none=0s until=2000-02-29T00:00:00Z secret=<redacted>\n"])
    }

    @Test(arguments: [
        (LogFormat.auto, true, LogStyle.plain(.priority)), (.auto, false, .plain(.time)), (.plain, true, .plain(.time)),
        (.json, true, .json),
    ])
    func `the journal adds the time by itself`(format: LogFormat, isJournal: Bool, style: LogStyle) {
        #expect(LogStyle(format, isJournal: isJournal) == style)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (-5, "1970-01-01T00:00:00.000Z"),
        (1_000_000_000_999_999_999, "2001-09-09T01:46:40.999Z"),
        (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
        (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000Z"), (.max, "2262-04-11T23:47:16.854Z"),
    ])
    func `dates are those of the calendar`(nanoseconds: Int64, date: String) {
        var buffer = ByteBuffer()
        buffer.append(timestamp: nanoseconds, fraction: true)
        #expect(text(of: buffer.readable) == date)
    }
}

@Suite struct AccessLogTests {
    @Test func `a call is one line, and lines leave together`() {
        let (log, sink) = log(.plain(.priority))
        let access = AccessLog(log)
        var record = AccessRecord(request: RequestID(value: 0xAB), method: "POST")
        access.record(record)
        record.route = "/vercel/"
        record.upstream = "ai-gateway.vercel.sh"
        record.credential = "vercel-oidc"
        record.link = 0
        record.peer = 1000
        record.status = 200
        record.received = 12
        record.sent = 34
        record.firstByteNanoseconds = 5_000_000
        record.durationNanoseconds = 2_000_000_000
        record.isReplayed = true
        record.failure = "client-gone"
        access.record(record)
        #expect(sink.writes.isEmpty)
        access.flush()
        access.flush()
        #expect(
            sink.writes == [
                """
                <6>call request=00000000000000ab method=POST received=0 sent=0 duration=0s
                <6>call request=00000000000000ab method=POST route=/vercel/ upstream=ai-gateway.vercel.sh \
                credential=vercel-oidc link=0 peer=1000 status=200 received=12 sent=34 firstByte=0.005s duration=2s \
                replayed=true failure=client-gone

                """
            ])
    }

    @Test func `a full buffer is written without being asked`() {
        let (log, sink) = log(.json)
        let access = AccessLog(log)
        for _ in 0..<1000 { access.record(AccessRecord(request: RequestID(value: 1), method: "GET")) }
        #expect(sink.writes.count > 1)
        #expect(sink.writes.allSatisfy { $0.hasSuffix("}\n") && $0.hasPrefix("{") })
    }

    @Test func `no two requests of a process have the same name`() {
        var names: Set<RequestID> = []
        for loop in 0..<4 {
            var sequence = RequestID.Sequence(seed: 42, loop: loop)
            for _ in 0..<1000 { names.insert(sequence.draw()) }
        }
        #expect(names.count == 4000)
        for value: UInt64 in [0, 1, 0xAB, 0x1000_0000_0000_0000, .max] {
            var buffer = ByteBuffer()
            buffer.append(RequestID(value: value))
            #expect(text(of: buffer.readable) == RequestID(value: value).description && buffer.count == 16)
        }
    }
}

func text(of bytes: Span<UInt8>) -> String {
    var copy: [UInt8] = []
    for index in bytes.indices { copy.append(bytes[index]) }
    return String(decoding: copy, as: UTF8.self)
}
