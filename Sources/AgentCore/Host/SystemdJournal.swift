// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import CSystemd
import Glibc

/// One entry of the journal, its fields kept apart.
struct JournalEntry: Sendable, Equatable {
    var priority: SystemdJournal.Priority
    /// What `journalctl` shows.
    var message: String
    /// MESSAGE_ID, 32 lower-case hexadecimal digits: names the kind of event, for `journalctl -x`.
    var messageID: String?
    /// Names of upper-case letters, digits and underscores, not beginning with an underscore.
    var fields: [Field] = []

    struct Field: Sendable, Equatable {
        let name: String
        let value: String
    }
}

/// Structured entries in the journal: sd_journal_sendv(3), about 40 µs each.
enum SystemdJournal {
    /// The levels of syslog(3).
    enum Priority: Int, Sendable {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
        case debug = 7
    }

    /// Whether standard error is the journal's stream, so that entries sent to it directly stand where the lines would:
    /// JOURNAL_STREAM of systemd.exec(5).
    static var isStandardError: Bool {
        guard let stream = unsafe getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return unsafe String(cString: stream) == "\(status.st_dev):\(status.st_ino)"
    }

    /// Sends one entry; false when the journal has not taken it.
    ///
    /// A field with a name that the journal does not take would be dropped by libsystemd in silence; here it makes the
    /// entry refused.
    @discardableResult
    static func send(_ journalEntry: JournalEntry) -> Bool {
        var entry: [(name: String, value: String)] = [
            ("MESSAGE", journalEntry.message), ("PRIORITY", "\(journalEntry.priority.rawValue)"),
        ]
        if let messageID = journalEntry.messageID { entry.append(("MESSAGE_ID", messageID)) }
        entry += journalEntry.fields.map { ($0.name, $0.value) }
        guard entry.allSatisfy({ isFieldName($0.name) }) else { return false }
        // One run of bytes for all fields, so that every address stays valid for the one call.
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for field in entry {
            bytes += field.name.utf8
            bytes.append(UInt8(ascii: "="))
            bytes += field.value.utf8
            ends.append(bytes.count)
        }
        return unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            var start = 0
            var pieces: [iovec] = unsafe []
            for end in ends {
                unsafe pieces.append(iovec(iov_base: base + start, iov_len: end - start))
                start = end
            }
            return unsafe sd_journal_sendv(pieces, Int32(pieces.count)) == 0
        }
    }

    private static func isFieldName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: "_"), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "_")
        } && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    }
}
