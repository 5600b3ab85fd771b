// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Shows what somebody wrote, in a message that other people will read.
enum QuotedText {
    /// Longest part of a text that is shown.
    static let limit = 80

    /// In double quotes, control characters replaced, cut at `limit`; of what may be a secret only the beginning.
    static func quote(_ text: String) -> String {
        let masked = mask(text)
        let cut = masked.count > limit
        return "\"\(clean(masked.prefix(limit)))\(cut ? "…" : "")\""
    }

    /// The text, of each word with the look of a secret only the beginning: `Authorization: Bearer sk-a…`.
    static func mask(_ text: String) -> String {
        if looksSecret(text) { return "\(text.prefix(4))…" }
        var result = ""
        var word = ""
        func flush() {
            result += looksSecret(word) ? "\(word.prefix(4))…" : word
            word = ""
        }
        for scalar in text.unicodeScalars {
            if isInWord(scalar) {
                word.unicodeScalars.append(scalar)
            } else {
                flush()
                result.unicodeScalars.append(scalar)
            }
        }
        flush()
        return result
    }

    /// What tokens consist of. Blanks and the signs of headers, addresses and forms part one word from the next.
    private static func isInWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "A"..."Z", "a"..."z", "-", "_", ".", "+": true
        default: false
        }
    }

    /// Whether a text has the look of a token or a key: a known beginning, or long and without any structure of words.
    ///
    /// A guess, and for messages only: the number of an account has the same look. No protection rests on it.
    static func looksSecret(_ text: String) -> Bool {
        if beginsAsToken(text) { return true }
        guard text.utf8.count >= 24 else { return false }
        var (digits, capitals, small) = (0, 0, 0)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39: digits += 1
            case 0x41...0x5A: capitals += 1
            case 0x61...0x7A: small += 1
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: "+"): break
            default: return false
            }
        }
        return digits >= 3 && capitals + small >= 3
    }

    /// Whether one of its words begins as the tokens of a known maker do: for refusing a secret that was put where it
    /// does not belong. A path is one word: its parts may have any name.
    static func holdsToken(_ text: String) -> Bool {
        text.split { " ,;:?&=\"'".contains($0) }.contains(where: beginsAsToken)
    }

    private static func beginsAsToken(_ text: some StringProtocol) -> Bool {
        let known = [
            "sk-", "sk_", "vck_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AKIA", "AIza",
            "eyJ",
        ]
        return text.utf8.count >= 12 && known.contains { text.hasPrefix($0) }
    }

    private static func clean(_ text: Substring) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case ..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: result += "?"
            case 0x22: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
