// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// How much is told. Each level includes those above it in rank.
enum LogLevel: String, Sendable, CaseIterable, Comparable {
    /// Every decision; safe in production.
    case debug
    /// The story of the agent's life: listening, token renewed, fell back, draining.
    case info
    /// Something is wrong, and the agent goes on.
    case warning
    /// Something asked for could not be done.
    case error

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }

    static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}

/// How a log line is written.
enum LogFormat: String, Sendable, CaseIterable {
    /// `plain`; without the time where the journal adds it.
    case auto
    /// `message key=value`.
    case plain
    /// One JSON object a line.
    case json
}
