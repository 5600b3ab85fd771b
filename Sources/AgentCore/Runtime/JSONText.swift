// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension ByteBuffer {
    /// Appends a JSON string, quotes included (RFC 8259 §7): quotes, backslashes and control characters escaped, all
    /// else as it is.
    mutating func append(jsonString text: String) {
        append(UInt8(ascii: "\""))
        append(jsonEscaped: text)
        append(UInt8(ascii: "\""))
    }

    /// Appends what stands between the quotes of a JSON string.
    mutating func append(jsonEscaped text: String) {
        append(jsonEscaped: text.utf8.span)
    }

    /// Appends bytes that are known to be UTF-8, as what stands between the quotes of a JSON string.
    mutating func append(jsonEscaped bytes: Span<UInt8>) {
        var start = 0
        for index in bytes.indices {
            let byte = bytes[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F else {
                continue
            }
            append(bytes.extracting(start..<index))
            start = index + 1
            append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\n"): append(UInt8(ascii: "n"))
            case UInt8(ascii: "\r"): append(UInt8(ascii: "r"))
            case UInt8(ascii: "\t"): append(UInt8(ascii: "t"))
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
            default:
                append(byte < 0x10 ? "u000" : "u00")
                append(hexadecimal: UInt64(byte))
            }
        }
        append(bytes.extracting(start..<bytes.count))
    }

    /// Appends a signed number in decimal digits.
    mutating func append(signedDecimal number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(decimal: number.magnitude)
    }
}
