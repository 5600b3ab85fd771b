// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What an issuer or a command said, made fit for a failure's sentence: one line, bounded, printable, and without what is
/// known to be a secret or has the look of one.
///
/// The look is a guess, and errs on the side of hiding: an issuer that repeats half a token in its complaint is no reason
/// to write it into a log.
struct ForeignWords {
    /// Values that were sent, or handed over.
    var secrets: [Secret] = []

    static let hidden = "[hidden]"
    /// Shorter values are words such as `true`, and hiding them would hide nothing.
    private static let shortestSecret = 4

    /// The first `limit` bytes.
    func beginning(of text: String, limit: Int = 200) -> String {
        let clean = hiding(text)
        return clean.utf8.count > limit ? String(clean.prefix(limit)) + "..." : clean
    }

    /// The last `limit` bytes.
    func end(of text: String, limit: Int = 300) -> String {
        let clean = hiding(text)
        return clean.utf8.count > limit ? "..." + String(clean.suffix(limit)) : clean
    }

    private func hiding(_ text: String) -> String {
        var bytes = Array(String(printing: text, limit: 8192).utf8)
        for secret in secrets where secret.count >= Self.shortestSecret {
            secret.withExposedBytes { Self.replace($0, in: &bytes) }
        }
        var result = ""
        var word: [UInt8] = []
        func flush() {
            result += Self.looksSecret(word) ? Self.hidden : String(decoding: word, as: UTF8.self)
            word = []
        }
        for byte in bytes {
            if Self.isTokenByte(byte) {
                word.append(byte)
            } else {
                flush()
                result.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        flush()
        return result
    }

    private static func replace(_ secret: Span<UInt8>, in bytes: inout [UInt8]) {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            var length = 0
            while length < secret.count, index + length < bytes.count, bytes[index + length] == secret[length] {
                length += 1
            }
            if length == secret.count {
                result += Array(hidden.utf8)
                index += length
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        bytes = result
    }

    /// What tokens of all kinds consist of: base64, base64url, hexadecimal, with dots between. A slash is not among them,
    /// so that paths and addresses are judged part by part.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-_.+~=".utf8.contains(byte)
        }
    }

    private static let prefixes = [
        "eyJ", "sk-", "sk_", "vck_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AKIA", "ASIA",
        "AIza", "hvs.", "ya29.",
    ].map { Array($0.utf8) }

    private static func looksSecret(_ word: [UInt8]) -> Bool {
        if word.count >= 12, prefixes.contains(where: { word.starts(with: $0) }) { return true }
        guard word.count >= 20 else { return false }
        let digits = word.count { (0x30...0x39).contains($0) }
        let letters = word.count { (0x61...0x7A).contains($0 | 0x20) }
        // A UUID in an issuer's complaint is what its support asks for.
        let isUUID =
            word.count == 36 && word.count { $0 == UInt8(ascii: "-") } == 4
            && word.allSatisfy { $0 == UInt8(ascii: "-") || $0.hexadecimalValue != nil }
        return digits >= 3 && letters >= 3 && !isUUID
    }
}
