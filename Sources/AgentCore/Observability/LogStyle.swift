// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// How lines look, once it is known where they go.
enum LogStyle: Sendable, Equatable {
    /// `message key=value`, for people.
    case plain(LinePrefix)
    /// One JSON object a line.
    case json

    enum LinePrefix: Sendable, Equatable {
        case time
        /// The priority as sd-daemon(3) reads it (`<6>`): the journal adds the time by itself.
        case priority
    }

    /// - Parameter isJournal: whether the stream is the journal's, `$JOURNAL_STREAM` of systemd.exec(5).
    init(_ format: LogFormat, isJournal: Bool) {
        switch format {
        case .json: self = .json
        case .plain: self = .plain(.time)
        case .auto: self = .plain(isJournal ? .priority : .time)
        }
    }
}

extension ByteBuffer {
    /// Begins a line; `append(field:)` and `endLine` complete it.
    mutating func beginLine(_ style: LogStyle, _ level: LogLevel, wall: Int64, _ message: StaticString) {
        switch style {
        case .json:
            append("{\"time\":\"")
            append(timestamp: wall, fraction: true)
            append("\",\"level\":\"")
            append(level.word)
            append("\",\"message\":\"")
            append(message)
            append(UInt8(ascii: "\""))
        case .plain(.time):
            append(timestamp: wall, fraction: true)
            append(UInt8(ascii: " "))
            append(level.word)
            append(level == .info ? "  " : " ")
            append(message)
        case .plain(.priority):
            append(level.priority)
            append(message)
        }
    }

    mutating func append(field key: StaticString, _ value: LogValue, _ style: LogStyle) {
        switch style {
        case .json:
            append(",\"")
            append(key)
            append("\":")
            append(json: value)
        case .plain:
            append(UInt8(ascii: " "))
            append(key)
            append(UInt8(ascii: "="))
            append(plain: value)
        }
    }

    mutating func endLine(_ style: LogStyle) {
        if style == .json { append(UInt8(ascii: "}")) }
        append(UInt8(ascii: "\n"))
    }
}

extension LogLevel {
    var word: StaticString {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    /// syslog(3)'s levels, as sd-daemon(3) reads them at the start of a line.
    fileprivate var priority: StaticString {
        switch self {
        case .debug: "<7>"
        case .info: "<6>"
        case .warning: "<4>"
        case .error: "<3>"
        }
    }
}
