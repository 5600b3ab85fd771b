// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials

@testable import AgentCore

/// A file of the repository that the package ships or the documents show.
struct ShippedFile {
    let path: String

    init(_ path: String) { self.path = path }

    var text: String {
        get throws { try String(contentsOf: Self.root.appending(path: path), encoding: .utf8) }
    }

    var bytes: [UInt8] {
        get throws { try Array(text.utf8) }
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
}
