// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The lines of an `AccessLog`. They read as those of `Log` do; but each key is one piece with what stands around it, and
/// the time is rendered once a second, since a line is written for every call.
struct AccessLines: ~Copyable {
    private var buffer = ByteBuffer()
    private let style: LogStyle
    private let isJSON: Bool
    /// The beginning of a line, up to the milliseconds where lines tell the time.
    private var beginning = ByteBuffer()
    private var second = Int64.min

    init(_ style: LogStyle) {
        self.style = style
        isJSON = style == .json
    }

    /// - Returns: how much has gathered, in bytes.
    mutating func append(_ record: borrowing AccessRecord, at wall: Int64) -> Int {
        // The pieces of a usual line then find room.
        buffer.reserve(1024)
        begin(wall)
        key(" request=", ",\"request\":\"")
        buffer.append(record.request)
        append(" method=", "\",\"method\":", record.method)
        if let route = record.route { append(" route=", ",\"route\":", route) }
        if let upstream = record.upstream { append(" upstream=", ",\"upstream\":", upstream) }
        if let credential = record.credential { append(" credential=", ",\"credential\":", credential) }
        if let link = record.link { append(" link=", ",\"link\":", UInt64(link.magnitude)) }
        if let peer = record.peer { append(" peer=", ",\"peer\":", UInt64(peer)) }
        if let status = record.status { append(" status=", ",\"status\":", UInt64(status.magnitude)) }
        append(" received=", ",\"received\":", record.received)
        append(" sent=", ",\"sent\":", record.sent)
        if let time = record.firstByteNanoseconds { append(" firstByte=", ",\"firstByte\":", seconds: time) }
        append(" duration=", ",\"duration\":", seconds: record.durationNanoseconds)
        if record.isReplayed { key(" replayed=true", ",\"replayed\":true") }
        if let failure = record.failure { append(" failure=", ",\"failure\":", failure) }
        buffer.endLine(style)
        return buffer.count
    }

    mutating func flush(to sink: any LogSink) {
        sink.write(buffer.readable)
        buffer.clear()
    }

    private mutating func begin(_ wall: Int64) {
        let (now, fraction) = max(0, wall).quotientAndRemainder(dividingBy: 1_000_000_000)
        if now != second { render(now) }
        buffer.append(beginning)
        switch style {
        case .plain(.priority): return
        case .plain(.time):
            buffer.append(decimal: fraction.magnitude / 1_000_000, digits: 3)
            buffer.append("Z info  call")
        case .json:
            buffer.append(decimal: fraction.magnitude / 1_000_000, digits: 3)
            buffer.append("Z\",\"level\":\"info\",\"message\":\"call\"")
        }
    }

    private mutating func render(_ second: Int64) {
        self.second = second
        beginning.clear()
        beginning.beginLine(style, .info, wall: second * 1_000_000_000, "call")
        // Up to the point: `{"time":"2026-11-21T08:29:01.`
        switch style {
        case .plain(.priority): break
        case .plain(.time): beginning.truncate(to: 20)
        case .json: beginning.truncate(to: 29)
        }
    }

    // MARK: Fields

    /// Appends what stands before a value, with the end of what stands before it; JSON's own punctuation comes with it.
    /// Inlined with both literals, so that a few stores are left of it.
    @inline(__always)
    private mutating func key(_ plain: StaticString, _ json: StaticString) {
        if isJSON { buffer.append(json) } else { buffer.append(plain) }
    }

    @inline(__always)
    private mutating func append(_ plain: StaticString, _ json: StaticString, _ text: String) {
        key(plain, json)
        if isJSON { buffer.append(jsonText: text) } else { buffer.append(plainText: text) }
    }

    @inline(__always)
    private mutating func append(_ plain: StaticString, _ json: StaticString, _ number: UInt64) {
        key(plain, json)
        buffer.append(decimal: number)
    }

    @inline(__always)
    private mutating func append(_ plain: StaticString, _ json: StaticString, seconds nanoseconds: Int64) {
        key(plain, json)
        buffer.append(seconds: nanoseconds)
        if !isJSON { buffer.append(UInt8(ascii: "s")) }
    }
}
