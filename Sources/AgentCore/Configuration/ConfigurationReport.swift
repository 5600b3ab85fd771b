// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Gathers the problems while a configuration is read. Confined to the one call that reads it.
final class ConfigurationReport {
    private(set) var problems: [ConfigurationProblem] = []

    func add(at origin: ConfigurationNode.Origin, _ path: ConfigurationPath, _ message: String, hint: String? = nil) {
        problems.append(
            ConfigurationProblem(
                file: origin.file, place: origin.place, path: path.description, message: message, hint: hint))
    }

    func add(_ node: ConfigurationNode, _ message: String, hint: String? = nil) {
        add(at: node.origin, node.path, message, hint: hint)
    }

    /// In the order of `files`, then of lines; what belongs to no place in a file comes first in it.
    func sorted(by files: [String]) -> [ConfigurationProblem] {
        let ranks = Dictionary(files.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let start = TextPlace(line: 0, column: 0)
        func key(_ problem: ConfigurationProblem) -> (Int, TextPlace, String, String) {
            (ranks[problem.file] ?? -1, problem.place ?? start, problem.path, problem.message)
        }
        return problems.sorted { key($0) < key($1) }
    }
}
