// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials

/// The files of a demo: the configuration, two secrets, the agent's socket. For the demo's own user alone, and removed
/// with the last reference.
final class DemoFolder: Sendable {
    let path: String

    init() throws {
        // Short, since a socket's path has to fit unix(7).
        path = "/tmp/gateway-agent-demo-\(Base64URL.encode(RandomBytes.make(6)))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        remove()
    }

    /// Removes it now, before the process ends.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    var socketPath: String { "\(path)/agent.sock" }
    var configurationPath: String { "\(path)/agent.json5" }
    var requestTokenPath: String { "\(path)/request-token" }
    var keyPath: String { "\(path)/gateway-key" }

    func write(_ text: String, to path: String) throws {
        try write(Array(text.utf8), to: path)
    }

    func write(_ secret: Secret, to path: String) throws {
        try write(secret.withExposedBytes { [UInt8](of: $0) }, to: path)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else { throw DemoFailure(description: "cannot write \(path)") }
    }
}

/// Why the demo cannot go on, or that something was not as told.
struct DemoFailure: Error, CustomStringConvertible {
    let description: String
}
