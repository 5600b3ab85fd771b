// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One thing wrong in the configuration, told so that it can be mended at once.
struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file, as it was opened.
    let file: String
    let place: TextPlace?
    /// The key, as JavaScript would write it: `routes["/vercel/"].chain[1]`; empty for the file itself. Of a key that
    /// may be a secret it has only the beginning.
    let path: String
    /// What is wrong: `is "900x"`. A value that may be a secret is never in it.
    let message: String
    /// What to do.
    let hint: String?

    var description: String {
        let location = place.map { "\(file):\($0)" } ?? file
        let subject = path.isEmpty ? "" : "\(path) "
        return "\(location): \(subject)\(message)\(hint.map { "; \($0)" } ?? "")"
    }
}

/// Everything wrong in the configuration, in the order of files and lines. Never empty.
struct ConfigurationProblems: Error, Sendable, Equatable, CustomStringConvertible {
    let problems: [ConfigurationProblem]

    /// One line a problem.
    var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// The way to one value: keys and indices from the top.
struct ConfigurationPath: Sendable, Equatable, CustomStringConvertible {
    enum Step: Sendable, Equatable {
        case key(String)
        case index(Int)
    }

    private(set) var steps: [Step] = []

    func appending(_ key: String) -> ConfigurationPath {
        var path = self
        path.steps.append(.key(key))
        return path
    }

    func appending(_ index: Int) -> ConfigurationPath {
        var path = self
        path.steps.append(.index(index))
        return path
    }

    var description: String {
        steps.reduce(into: "") { text, step in
            switch step {
            case .index(let index): text += "[\(index)]"
            case .key(let key):
                let isWord = !key.isEmpty && key.utf8.allSatisfy { Self.isWordByte($0) } && !Self.startsWithDigit(key)
                // A token may have been pasted where a key belongs.
                let isBare = isWord && key.utf8.count <= QuotedText.limit && !QuotedText.looksSecret(key)
                text += isBare ? (text.isEmpty ? key : ".\(key)") : "[\(QuotedText.quote(key))]"
            }
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    private static func startsWithDigit(_ key: String) -> Bool {
        key.utf8.first.map { (0x30...0x39).contains($0) } ?? false
    }
}
