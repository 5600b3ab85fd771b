// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Rows for people: columns line up, and on a terminal words are coloured by what they mean.
struct TextTable: Sendable {
    struct Cell: Sendable, ExpressibleByStringInterpolation {
        let text: String
        var mood = Mood.plain

        init(_ text: String, _ mood: Mood = .plain) {
            // What an issuer or an upstream said may end up here: nothing of it may steer the terminal.
            self.text = String(String.UnicodeScalarView(text.unicodeScalars.map { Self.isControl($0) ? "?" : $0 }))
            self.mood = mood
        }

        init(stringLiteral text: String) { self.init(text) }

        private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case ..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
            default: false
            }
        }
    }

    /// What a cell means; a colour on a terminal, nothing elsewhere.
    enum Mood: Sendable {
        case plain, heading, good, doubtful, bad, faint

        fileprivate var code: String? {
            switch self {
            case .plain: nil
            case .heading: "1"
            case .good: "32"
            case .doubtful: "33"
            case .bad: "31"
            case .faint: "2"
            }
        }
    }

    let headings: [String]
    private(set) var rows: [[Cell]] = []

    init(_ headings: String...) {
        self.headings = headings
    }

    /// Cells beyond the headings are dropped, missing ones empty.
    mutating func add(_ cells: Cell...) {
        let missing = [Cell](repeating: "", count: max(0, headings.count - cells.count))
        rows.append(Array(cells.prefix(headings.count)) + missing)
    }

    /// Two spaces between columns, none at the end of a line; each line ends.
    ///
    /// - Parameter isTerminal: whether colours are understood. `NO_COLOR` is the caller's to ask.
    func rendered(isTerminal: Bool) -> String {
        let lines = [headings.map { Cell($0, .heading) }] + rows
        let widths = headings.indices.map { column in lines.map { $0[column].text.count }.max() ?? 0 }
        var text = ""
        for line in lines {
            // Blanks wait until something follows them.
            var blanks = 0
            for (column, cell) in line.enumerated() {
                if !cell.text.isEmpty {
                    text += String(repeating: " ", count: blanks)
                    blanks = 0
                    let code = isTerminal ? cell.mood.code : nil
                    text += code.map { "\u{1B}[\($0)m\(cell.text)\u{1B}[0m" } ?? cell.text
                }
                blanks += widths[column] - cell.text.count + 2
            }
            text += "\n"
        }
        return text
    }
}
