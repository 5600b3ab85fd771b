// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One text of the configuration, as it was read from its file.
struct ConfigurationText: Sendable {
    /// The path, as messages show it.
    let file: String
    let bytes: [UInt8]
}

/// A value of the configuration that knows where it was written.
struct ConfigurationNode {
    enum Content {
        case scalar(JSONValue)
        case list([ConfigurationNode])
        case object([String: Member])
    }

    struct Member {
        let key: Origin
        var value: ConfigurationNode
    }

    struct Origin {
        let file: String
        let place: TextPlace?
    }

    let path: ConfigurationPath
    let origin: Origin
    var content: Content

    /// The kind of value, with its article: `a string`.
    var kind: String {
        switch content {
        case .scalar(let value): value.kind
        case .list: "a list"
        case .object: "an object"
        }
    }
}

extension ConfigurationNode {
    /// Reads one text; nil if it cannot be read at all, which is reported.
    static func read(_ text: ConfigurationText, into report: ConfigurationReport) -> ConfigurationNode? {
        let places = TextPlaces(text.bytes)
        func fail(_ offset: Int?, _ message: String, _ hint: String?, path: ConfigurationPath = ConfigurationPath()) {
            let origin = Origin(file: text.file, place: offset.map { places[$0] })
            report.add(at: origin, path, message, hint: hint)
        }
        guard text.bytes.count <= maximumBytes else {
            fail(nil, "is larger than \(maximumBytes) bytes", "split it into files of conf.d")
            return nil
        }
        do throws(JSONOutline.SyntaxError) {
            let (outline, duplicates) = try JSONOutline.read(text.bytes)
            for duplicate in duplicates {
                let path = duplicate.path.reduce(into: ConfigurationPath()) { $0 = $0.appending($1) }
                let line = places[duplicate.first].line
                fail(duplicate.second, "is written twice, first in line \(line)", "delete one", path: path)
            }
            guard let value = try? JSONValue.decode(text.bytes.span, json5: true, maximumBytes: maximumBytes) else {
                fail(nil, "is no JSON5, though no place in it is wrong by itself", "look for numbers out of any range")
                return nil
            }
            return ConfigurationNode(value, outline, ConfigurationPath()) { Origin(file: text.file, place: places[$0]) }
        } catch {
            let parts = error.message.split(separator: "; ", maxSplits: 1)
            fail(error.offset, String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : nil)
            return nil
        }
    }

    static let maximumBytes = 1 << 20

    private init(
        _ value: JSONValue, _ outline: JSONOutline, _ path: ConfigurationPath, origin: (Int) -> Origin
    ) {
        self.path = path
        self.origin = origin(outline.offset)
        switch value {
        case .object(let members):
            var content: [String: Member] = [:]
            for (key, value) in members {
                let member = outline.members[key]
                let node = ConfigurationNode(
                    value, member?.value ?? outline, path.appending(key), origin: origin)
                content[key] = Member(key: origin(member?.keyOffset ?? outline.offset), value: node)
            }
            self.content = .object(content)
        case .array(let elements):
            var content: [ConfigurationNode] = []
            for (index, value) in elements.enumerated() {
                let element = index < outline.elements.count ? outline.elements[index] : outline
                content.append(ConfigurationNode(value, element, path.appending(index), origin: origin))
            }
            self.content = .list(content)
        default: self.content = .scalar(value)
        }
    }
}

// MARK: Merging

extension ConfigurationNode {
    /// Lays a later file over an earlier one: objects merge key by key, of anything else the later stands.
    ///
    /// A setting such as `log.level` may thus be overridden by a drop-in. Within one credential or route that would let
    /// two files fight unseen over where a secret goes, so there a key written twice is a problem.
    func merging(_ later: ConfigurationNode, report: ConfigurationReport) -> ConfigurationNode {
        guard case .object(var members) = content, case .object(let laterMembers) = later.content else {
            return later
        }
        for (key, laterMember) in laterMembers {
            guard let member = members[key] else {
                members[key] = laterMember
                continue
            }
            if case .object = member.value.content, case .object = laterMember.value.content {
                members[key]?.value = member.value.merging(laterMember.value, report: report)
            } else if isInsideNamedObject {
                let first = "\(member.key.file)\(member.key.place.map { ":\($0)" } ?? "")"
                report.add(
                    at: laterMember.key, laterMember.value.path, "is also written in \(first)",
                    hint: "keep it in one of the files")
            } else {
                members[key] = laterMember
            }
        }
        var merged = self
        merged.content = .object(members)
        return merged
    }

    private var isInsideNamedObject: Bool {
        guard path.steps.count >= 2, case .key(let section) = path.steps[0] else { return false }
        return section == "credentials" || section == "routes"
    }
}
