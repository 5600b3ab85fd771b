// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials

/// Which files make up the configuration: one main file, and the drop-ins of the folder `conf.d` beside it.
struct ConfigurationFiles: Sendable, Equatable {
    let mainFile: String
    let dropInFolder: String
    let scope: ConfigurationScope

    init(mainFile: String, scope: ConfigurationScope) {
        self.mainFile = mainFile
        let folder = mainFile.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(mainFile[..<$0]) } ?? "."
        dropInFolder = "\(folder)/conf.d"
        self.scope = scope
    }

    static let systemFile = "/etc/gateway-agent/agent.json5"

    /// Those of `--config`, else of the person who runs the agent if there are any, else of the host.
    ///
    /// - Parameter exists: whether there is such a file.
    static func choose(
        option: String?, isRoot: Bool, environment: [String: String], exists: (String) -> Bool
    ) -> ConfigurationFiles {
        let scope: ConfigurationScope = isRoot ? .system : .user(runtimeFolder: environment["XDG_RUNTIME_DIR"])
        if let option { return ConfigurationFiles(mainFile: option, scope: scope) }
        let folder = environment["XDG_CONFIG_HOME"] ?? environment["HOME"].map { "\($0)/.config" }
        if !isRoot, let folder, folder.hasPrefix("/") {
            let files = ConfigurationFiles(mainFile: "\(folder)/gateway-agent/agent.json5", scope: scope)
            if exists(files.mainFile) || exists(files.dropInFolder) { return files }
        }
        return ConfigurationFiles(mainFile: systemFile, scope: .system)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    /// Reads and checks them. Blocks on the disk: not for a loop.
    func load() throws(ConfigurationProblems) -> Configuration {
        try Configuration.read(try texts(), scope: scope)
    }

    /// The main file, then the drop-ins in the order of their names. One of them has to exist.
    ///
    /// What is there and cannot be read is a problem, and never as good as not there: an agent without its routes, or
    /// without its list of users, would be the outcome.
    func texts() throws(ConfigurationProblems) -> [ConfigurationText] {
        var texts: [ConfigurationText] = []
        var problems: [ConfigurationProblem] = []
        var files: [String] = []
        do throws(ConfigurationProblem) { files = try dropIns() } catch { problems.append(error) }
        if !FileFacts.isMissing(mainFile) || files.isEmpty && problems.isEmpty { files.insert(mainFile, at: 0) }
        for file in files {
            do throws(ConfigurationProblem) {
                texts.append(ConfigurationText(file: file, bytes: try Self.contents(of: file)))
            } catch {
                problems.append(error)
            }
        }
        if !problems.isEmpty { throw ConfigurationProblems(problems: problems) }
        return texts
    }

    /// Names ending in `.json5`, hidden files and what editors and dpkg(1) leave behind not counted.
    private func dropIns() throws(ConfigurationProblem) -> [String] {
        if FileFacts.isMissing(dropInFolder) { return [] }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: dropInFolder) else {
            throw ConfigurationProblem(
                file: dropInFolder, place: nil, path: "", message: "is no folder that this user can read",
                hint: "look at its owner and mode, or remove it")
        }
        return names.filter { $0.hasSuffix(".json5") && !$0.hasPrefix(".") && $0 != ".json5" }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .map { "\(dropInFolder)/\($0)" }
    }

    private static func contents(of file: String) throws(ConfigurationProblem) -> [UInt8] {
        func problem(_ message: String, _ hint: String) -> ConfigurationProblem {
            ConfigurationProblem(file: file, place: nil, path: "", message: message, hint: hint)
        }
        if FileFacts.isMissing(file) {
            throw problem("there is no such file", "write one, or name another by --config PATH")
        }
        let unreadable = problem(
            "cannot be read by this user", "look at its owner and mode, and at those of its folder")
        // A link is as good as a file; what it leads to is judged.
        let facts: FileFacts
        do throws(SystemError) { facts = try FileFacts(of: file) } catch {
            throw error.isMissing ? problem("is a link that leads nowhere", "see what it should lead to") : unreadable
        }
        guard facts.isRegular else { throw problem("is no regular file", "write the configuration into a file") }
        // It names commands to run and where secrets go.
        if facts.isWritableByAll {
            throw problem("can be changed by every user of this host", "run: chmod o-w \(file)")
        }
        if facts.byteCount > ConfigurationNode.maximumBytes {
            throw problem("is larger than \(ConfigurationNode.maximumBytes) bytes", "split it into files of conf.d")
        }
        do {
            return [UInt8](try Data(contentsOf: URL(filePath: file)))
        } catch {
            throw unreadable
        }
    }
}
