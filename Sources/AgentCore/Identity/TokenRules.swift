// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Which bytes may be a credential at all: visible ASCII. Everything else could end a header field early, start another,
/// or be read differently by two readers; so it is refused where it comes in, and no writer needs to look again. Spaces
/// are refused too: a value with spaces is a command's complaint or a web page, not a token (a scheme such as `Bearer`
/// is the header form's).
enum TokenRules {
    /// No known token comes near; a header this long is refused everywhere.
    static let limitBytes = 64 << 10

    /// Checks what a source answered, after the line end that files and commands put behind it is taken off.
    ///
    /// - Throws: `.empty` or `.malformed`, with the place and kind of the first bad byte and never a byte of the value.
    static func validated(_ bytes: Span<UInt8>) throws(CredentialFailure) -> Secret {
        var end = bytes.count
        if end > 0, bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end > 0, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        guard end > 0 else {
            throw CredentialFailure(
                .empty, "the value is empty; see whether the source is logged in, or what writes it")
        }
        guard end <= limitBytes else {
            throw CredentialFailure(
                .malformed,
                "the value is \(end) bytes long, and a credential at most \(limitBytes); name the field it is in")
        }
        for index in 0..<end {
            if let fault = fault(in: bytes[index]) {
                throw CredentialFailure(
                    .malformed,
                    "the value has \(fault) at byte \(index + 1) of \(end), which no credential may have; "
                        + "see whether the source prints more than the token")
            }
        }
        return Secret(copying: bytes.extracting(0..<end))
    }

    private static func fault(in byte: UInt8) -> String? {
        switch byte {
        case 0x21...0x7e: nil
        case UInt8(ascii: " "): "a space"
        case 0: "a NUL byte"
        case UInt8(ascii: "\r"): "a carriage return"
        case UInt8(ascii: "\n"): "a line feed"
        case 0x80...: "a byte outside ASCII"
        default: "a control byte"
        }
    }
}
