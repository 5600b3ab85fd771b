// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The moments of the agent's life that an operator looks for. Each has a word, and a number that never changes:
/// `journalctl GATEWAY_EVENT=reload-failed` finds it, and `journalctl -x` explains it from
/// packaging/gateway-agent.catalog.
enum LifeEvent: String, Sendable, CaseIterable {
    case serving
    case reloaded
    case reloadFailed = "reload-failed"
    /// The configuration is wrong at the start, when there is no old one to stay with.
    case configurationRefused = "configuration-refused"
    case startFailed = "start-failed"
    case idle
    case draining
    /// Calls were still under way at the drain limit.
    case callsCut = "calls-cut"
    case stopped
    case credentialReceived = "credential-received"
    case credentialFailing = "credential-failing"
    case credentialRecovered = "credential-recovered"
    /// The value held has ended, wanted or not.
    case credentialEnded = "credential-ended"
    case credentialRejected = "credential-rejected"
    case clockSkew = "clock-skew"
    /// The calls of a route go out with another credential of its chain, or with none.
    case chainChanged = "chain-changed"

    /// MESSAGE_ID of systemd.journal-fields(7): drawn once by chance, never used again for anything else.
    var messageID: String {
        switch self {
        case .serving: "49ac6bda5c404a778c265581f17bdda3"
        case .reloaded: "f612d365f93242dc9474c9ff0e60f215"
        case .reloadFailed: "e4a74f14fc9343fead9a5c1b72b18bf3"
        case .configurationRefused: "f0c1cbb8c87344acbed95b04b218eb2a"
        case .startFailed: "4753de0bd8c8473380ab5967f8bbd4f6"
        case .idle: "6b960c218b6340d19352668aa862b3de"
        case .draining: "d42942d0248d4d0aa4b36d0b37e87e67"
        case .callsCut: "9fd44a0751174b298fca2514e79f090a"
        case .stopped: "f2d41e13122846fb8f0f8f2638b3312b"
        case .credentialReceived: "80c87d294e9447aa8dfba34a31d9e8f3"
        case .credentialFailing: "d0a72bbb693345a3b35410a5858f3beb"
        case .credentialRecovered: "370b283e50214ef09f3ac4426d2e4390"
        case .credentialEnded: "224c03bd72574b77a894285cd06e130e"
        case .credentialRejected: "c8548b089feb4f77940cabd17ceaefcb"
        case .clockSkew: "c9fce37c52ee453c80bf6d1ffe1ed498"
        case .chainChanged: "6dbf3f1bc5f54755be0d6364541a9d11"
        }
    }

    var message: StaticString {
        switch self {
        case .serving: "serving"
        case .reloaded: "configuration reloaded"
        case .reloadFailed: "configuration not reloaded, the old one stays in force"
        case .configurationRefused: "the configuration is wrong"
        case .startFailed: "the agent cannot start"
        case .idle: "nobody has called for a while; the next caller starts the agent again"
        case .draining: "draining"
        case .callsCut: "calls still under way at the drain limit are cut"
        case .stopped: "stopped"
        case .chainChanged: "route"
        case .credentialReceived, .credentialFailing, .credentialRecovered, .credentialEnded, .credentialRejected,
            .clockSkew:
            "credential"
        }
    }
}

extension Log {
    /// Tells of a moment of life; in the journal with its number.
    func tell(
        _ level: LogLevel = .info, _ event: LifeEvent,
        _ fields: @autoclosure () -> KeyValuePairs<StaticString, LogValue> = [:]
    ) {
        write(level, event.message, fields(), as: event)
    }
}
