// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension JournalEntry {
    /// What would have been a line, in the journal's own form: the line as its message, and besides each field under a
    /// name of its own, `needsRestart` as `GATEWAY_NEEDS_RESTART`.
    init(
        _ level: LogLevel, _ message: StaticString, _ fields: KeyValuePairs<StaticString, LogValue>,
        as event: LifeEvent?
    ) {
        var line = ByteBuffer(capacity: 512)
        line.append(message)
        for (key, value) in fields { line.append(field: key, value, .plain(.priority)) }
        self.init(priority: level.journalPriority, message: line.text, messageID: event?.messageID)
        if let event { self.fields.append(Field(name: "GATEWAY_EVENT", value: event.rawValue)) }
        for (key, value) in fields {
            var text = ByteBuffer(capacity: 128)
            if case .text(let bare) = value {
                text.append(bare)
            } else {
                text.append(plain: value)
            }
            self.fields.append(Field(name: Self.name(of: key), value: text.text))
        }
    }

    static func name(of key: StaticString) -> String {
        var name = "GATEWAY_"
        for character in "\(key)" {
            if character.isUppercase { name += "_" }
            name += character.uppercased()
        }
        return name
    }
}

extension LogLevel {
    fileprivate var journalPriority: SystemdJournal.Priority {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}

extension ByteBuffer {
    fileprivate var text: String { String(decoding: (0..<count).map { self[$0] }, as: UTF8.self) }
}
