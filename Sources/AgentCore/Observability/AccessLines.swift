// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The lines of an `AccessLog`. They read as those of `Log` do; but each key is one piece with what stands around it, and
/// the time is rendered once a second, since a line is written for every call.
struct AccessLines: ~Copyable {
    private var buffer = ByteBuffer()
    private let style: LogStyle
    private let isJSON: Bool
    private let keys: Keys
    /// The beginning of a line, up to the milliseconds where lines tell the time.
    private var beginning = ByteBuffer()
    private var second = Int64.min

    init(_ style: LogStyle) {
        self.style = style
        isJSON = style == .json
        keys = isJSON ? .json : .plain
    }

    /// - Returns: how much has gathered, in bytes.
    mutating func append(_ record: borrowing AccessRecord, at wall: Int64) -> Int {
        // The pieces of a usual line then find room.
        buffer.reserve(1024)
        begin(wall)
        buffer.append(keys.request)
        buffer.append(record.request)
        append(keys.method, record.method)
        if let route = record.route { append(keys.route, route) }
        if let upstream = record.upstream { append(keys.upstream, upstream) }
        if let credential = record.credential { append(keys.credential, credential) }
        if let link = record.link { append(keys.link, UInt64(link.magnitude)) }
        if let peer = record.peer { append(keys.peer, UInt64(peer)) }
        if let status = record.status { append(keys.status, UInt64(status.magnitude)) }
        append(keys.received, record.received)
        append(keys.sent, record.sent)
        if let time = record.firstByteNanoseconds { append(keys.firstByte, seconds: time) }
        append(keys.duration, seconds: record.durationNanoseconds)
        if record.isReplayed { buffer.append(keys.replayed) }
        if let failure = record.failure { append(keys.failure, failure) }
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

    private mutating func append(_ key: StaticString, _ text: String) {
        buffer.append(key)
        if isJSON { buffer.append(jsonText: text) } else { buffer.append(plainText: text) }
    }

    private mutating func append(_ key: StaticString, _ number: UInt64) {
        buffer.append(key)
        buffer.append(decimal: number)
    }

    private mutating func append(_ key: StaticString, seconds nanoseconds: Int64) {
        buffer.append(key)
        buffer.append(seconds: nanoseconds)
        if !isJSON { buffer.append(UInt8(ascii: "s")) }
    }

    /// Each with the end of what stands before it.
    private struct Keys {
        let request, method, route, upstream, credential, link, peer, status, received, sent: StaticString
        let firstByte, duration, replayed, failure: StaticString

        static var plain: Keys {
            Keys(
                request: " request=", method: " method=", route: " route=", upstream: " upstream=",
                credential: " credential=", link: " link=", peer: " peer=", status: " status=",
                received: " received=", sent: " sent=", firstByte: " firstByte=", duration: " duration=",
                replayed: " replayed=true", failure: " failure=")
        }

        static var json: Keys {
            Keys(
                request: ",\"request\":\"", method: "\",\"method\":", route: ",\"route\":",
                upstream: ",\"upstream\":", credential: ",\"credential\":", link: ",\"link\":",
                peer: ",\"peer\":", status: ",\"status\":", received: ",\"received\":", sent: ",\"sent\":",
                firstByte: ",\"firstByte\":", duration: ",\"duration\":", replayed: ",\"replayed\":true",
                failure: ",\"failure\":")
        }
    }
}
