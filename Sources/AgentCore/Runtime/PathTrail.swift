// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// The names on which it depends what a path leads to: each symbolic link on the way, and the last name, or the first
/// that is missing; path_resolution(7).
struct PathTrail {
    struct Step: Hashable {
        /// Free of symbolic links when it was looked at.
        let folder: String
        let name: String
    }

    private(set) var steps: [Step] = []

    /// Links followed at most, as the kernel does.
    static let linkLimit = 40

    init(_ path: String) {
        var folder = ""
        var rest = path.split(separator: "/").map(String.init)[...]
        var links = 0
        while let name = rest.popFirst() {
            if name == "." { continue }
            if name == ".." {
                folder = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? ""
                continue
            }
            let place = "\(folder)/\(name)"
            var status = stat()
            let exists = unsafe lstat(place, &status) == 0
            if exists, status.st_mode & S_IFMT == S_IFLNK, links < Self.linkLimit {
                steps.append(Step(folder: folder.isEmpty ? "/" : folder, name: name))
                guard let target = Self.target(of: place) else { return }
                links += 1
                if target.hasPrefix("/") { folder = "" }
                rest = (target.split(separator: "/").map(String.init) + rest)[...]
            } else if exists, status.st_mode & S_IFMT == S_IFDIR, !rest.isEmpty {
                folder = place
            } else {
                steps.append(Step(folder: folder.isEmpty ? "/" : folder, name: name))
                return
            }
        }
    }

    private static func target(of link: String) -> String? {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(link, &text, text.count)
        return count > 0 ? String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
