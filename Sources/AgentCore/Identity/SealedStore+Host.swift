// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension SealedStore {
    /// The store of this agent on this host: `$STATE_DIRECTORY` as systemd sets it (systemd.exec(5), `StateDirectory=`),
    /// else `$XDG_STATE_HOME/gateway-agent`, else `~/.local/state/gateway-agent`. Reads one line of /proc.
    ///
    /// - Returns: nil if there is no such folder to be known.
    static func ofThisHost() -> SealedStore? {
        let folder: String
        if let state = variable("STATE_DIRECTORY")?.split(separator: ":").first {
            folder = String(state)
        } else if let state = variable("XDG_STATE_HOME") {
            folder = state + "/gateway-agent"
        } else if let home = variable("HOME") {
            folder = home + "/.local/state/gateway-agent"
        } else {
            return nil
        }
        let bootID = try? Secret(contentsOf: "/proc/sys/kernel/random/boot_id", limitBytes: 128)
        return SealedStore(folder: folder, bootID: bootID.map(text)?.filter { $0 != "\n" } ?? "")
    }

    private static func variable(_ name: String) -> String? {
        Secret(environmentVariable: name).map(text).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func text(_ bytes: Secret) -> String {
        bytes.withExposedBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }
}
