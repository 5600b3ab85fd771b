// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct ConfigurationFilesTests {
    private let folder = ScratchFolder()
    private var files: ConfigurationFiles { ConfigurationFiles(mainFile: folder.path("agent.json5"), scope: .system) }

    private func problems() -> String {
        do throws(ConfigurationProblems) {
            _ = try files.load()
            return ""
        } catch {
            return error.description.replacing(folder.path, with: "")
        }
    }

    @Test func `drop-ins follow the main file in the order of their names`() throws {
        folder.write("{credentials: {a: {source: 'env', name: 'A'}}, threads: 1}", to: "agent.json5")
        FileTree.makeFolder(folder.path("conf.d"))
        folder.write("{threads: 3}", to: "conf.d/20-b.json5")
        folder.write("{threads: 2}", to: "conf.d/10-a.json5")
        for ignored in [".hidden.json5", "30-c.json5.dpkg-old", "40-d.json5~", "README"] {
            folder.write("not for us", to: "conf.d/\(ignored)")
        }
        #expect(
            try files.texts().map { $0.file.replacing(folder.path, with: "") } == [
                "/agent.json5", "/conf.d/10-a.json5", "/conf.d/20-b.json5",
            ])
        #expect(try files.load().threads == 3)
    }

    @Test func `drop-ins alone are a configuration`() throws {
        FileTree.makeFolder(folder.path("conf.d"))
        folder.write("{credentials: {a: {source: 'env', name: 'A'}}}", to: "conf.d/a.json5")
        #expect(try files.load().credentials.count == 1)
    }

    @Test func `no file, a folder and a file of everybody are refused with what to do`() {
        #expect(problems() == "/agent.json5: there is no such file; write one, or name another by --config PATH")
        FileTree.makeFolder(folder.path("agent.json5"))
        #expect(problems() == "/agent.json5: is no regular file; write the configuration into a file")
        FileTree.removeFolder(folder.path("agent.json5"))
        folder.write("{credentials: {a: {source: 'env', name: 'A'}}}", to: "agent.json5")
        #expect(problems() == "")
        FileTree.setMode(folder.path("agent.json5"), 0o646)
        #expect(problems() == "/agent.json5: can be changed by every user of this host; run: chmod o-w /agent.json5")
        FileTree.setMode(folder.path("agent.json5"), 0o644)
        folder.write(String(repeating: " ", count: 1 << 20) + "{}", to: "agent.json5")
        #expect(problems() == "/agent.json5: is larger than 1048576 bytes; split it into files of conf.d")
    }

    @Test func `a main file that leads nowhere is no reason to go by the drop-ins alone`() {
        FileTree.makeFolder(folder.path("conf.d"))
        folder.write("{credentials: {a: {source: 'env', name: 'A'}}}", to: "conf.d/a.json5")
        FileTree.makeLink(folder.path("agent.json5"), to: "gone.json5")
        #expect(problems() == "/agent.json5: is a link that leads nowhere; see what it should lead to")
    }

    @Test func `a drop-in folder that cannot be listed is told of, and never taken for an empty one`() {
        folder.write("{credentials: {a: {source: 'env', name: 'A'}}}", to: "agent.json5")
        folder.write("no folder", to: "conf.d")
        #expect(problems() == "/conf.d: is no folder that this user can read; look at its owner and mode, or remove it")
    }

    @Test(
        arguments: [
            ("/c/x.json5", false, ["HOME": "/h"], [], "/c/x.json5", "/c/conf.d"),
            ("x.json5", false, [:], [], "x.json5", "./conf.d"),
            (
                nil, false, ["HOME": "/h"], ["/h/.config/gateway-agent/agent.json5"],
                "/h/.config/gateway-agent/agent.json5", "/h/.config/gateway-agent/conf.d"
            ),
            (
                nil, false, ["HOME": "/h", "XDG_CONFIG_HOME": "/x"], ["/x/gateway-agent/conf.d"],
                "/x/gateway-agent/agent.json5", "/x/gateway-agent/conf.d"
            ),
            (nil, false, ["HOME": "/h"], [], "/etc/gateway-agent/agent.json5", "/etc/gateway-agent/conf.d"),
            (
                nil, true, ["HOME": "/h"], ["/h/.config/gateway-agent/agent.json5"], "/etc/gateway-agent/agent.json5",
                "/etc/gateway-agent/conf.d"
            ),
        ] as [(String?, Bool, [String: String], [String], String, String)])
    func `a person's own configuration comes before the host's`(
        option: String?, isRoot: Bool, environment: [String: String], existing: [String], mainFile: String,
        dropIns: String
    ) {
        let files = ConfigurationFiles.choose(option: option, isRoot: isRoot, environment: environment) {
            existing.contains($0)
        }
        #expect(files.mainFile == mainFile)
        #expect(files.dropInFolder == dropIns)
    }
}
