// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension String {
    /// What somebody else wrote, fit for a log line or an error sentence: at most `limit` bytes, one line, every byte
    /// that is not printable ASCII shown as `?`, and white space folded to single spaces.
    init(printing bytes: Span<UInt8>, limit: Int = 200) {
        var text: [UInt8] = []
        text.reserveCapacity(Swift.min(bytes.count, limit))
        var cut = false
        for index in bytes.indices {
            let byte = bytes[index]
            let isSpace = byte == 0x20 || (0x09...0x0D).contains(byte)
            if isSpace && (text.isEmpty || text.last == 0x20) { continue }
            if text.count == limit {
                cut = true
                break
            }
            text.append(isSpace ? 0x20 : (0x21...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
        }
        if text.last == 0x20 { text.removeLast() }
        self = String(decoding: text, as: UTF8.self) + (cut ? "..." : "")
    }

    /// The same for an array.
    init(printing bytes: [UInt8], limit: Int = 200) {
        self.init(printing: bytes.span, limit: limit)
    }

    /// The same for text that is a `String` already.
    init(printing text: String, limit: Int = 200) {
        let bytes = Array(text.utf8)
        self.init(printing: bytes.span, limit: limit)
    }
}
