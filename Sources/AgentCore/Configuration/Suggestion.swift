// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Finds the word that was probably meant.
enum Suggestion {
    /// The nearest of `candidates`, if it is near enough to be a slip of the pen: a third of its letters at most.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        var best: (word: String, distance: Int)?
        // Long input would cost its length squared; nobody mistypes a word into 64 letters.
        guard word.utf8.count <= 64 else { return nil }
        for candidate in candidates.sorted() where candidate != word {
            let distance = distance(Array(word.lowercased().utf8), Array(candidate.lowercased().utf8))
            guard distance <= max(1, min(word.utf8.count, candidate.utf8.count) / 3) else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// How many letters must be put in, left out, changed or swapped with their neighbour (optimal string alignment).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
