// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension Field<Duration> {
    static let sourceTimeout = duration(in: .milliseconds(10) ... .seconds(600))
}

extension Field<String> {
    /// The name of an environment variable.
    static let variable = text("write a name of letters, digits and \"_\"") { text throws(Misfit) in
        let isWord = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == 0x5F
        }
        guard isWord, let first = text.utf8.first, !(0x30...0x39).contains(first) else { throw Misfit() }
        return text
    }

    /// A file of `$CREDENTIALS_DIRECTORY`.
    static let systemdName = text("write the name given to LoadCredential=, without a slash") { text throws(Misfit) in
        guard !text.isEmpty, text.utf8.count <= 255, !text.hasPrefix("."), !text.utf8.contains(0),
            !text.utf8.contains(UInt8(ascii: "/"))
        else { throw Misfit() }
        return text
    }

    /// One word of a command. What every user of the host may read in the process list must be no secret.
    static let argument = text("write text in quotes") { text throws(Misfit) in
        if text.utf8.contains(0) { throw Misfit(message: "holds a NUL byte", hint: "delete it") }
        if QuotedText.holdsToken(text) { throw .secretInPlace }
        return text
    }

    static let method = text("write one of \"GET\", \"POST\", \"PUT\", \"PATCH\"") { text throws(Misfit) in
        guard ["GET", "POST", "PUT", "PATCH"].contains(text) else { throw Misfit() }
        return text
    }

    /// Path and query of a request.
    static let requestTarget = text("write a path such as \"/token\"") { text throws(Misfit) in
        guard text.hasPrefix("/"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw Misfit()
        }
        return text
    }

    /// Where a token is asked for. Plain HTTP only where nobody can listen in: this host, or the hypervisor's own
    /// link-local address.
    static let sourceURL = text("write an https:// address") { text throws(Misfit) in
        guard let url = try PlainURL(text) else { throw Misfit() }
        // A name may begin as it likes: only an address is link-local.
        let address = SocketAddress(ip: url.host, port: url.port)
        let isLinkLocal = address?.ipBytes.count == 4 && address?.isLinkLocal == true
        let isMetadata = ["fd00:ec2::254", "metadata.google.internal"].contains(url.host)
        if !url.isSecure, !url.isLoopback, !isLinkLocal, !isMetadata {
            throw Misfit(hint: "write https://: over http:// the token could be read on its way")
        }
        return text
    }
}

extension Field<Template> {
    /// Text with `${file:…}`, `${env:…}` and `${systemd-credential:…}` in it; `$$` is a dollar sign.
    static let template = text("write text, with secrets as \"${file:/…}\" or \"${env:NAME}\"") { text throws(Misfit) in
        try parse(text)
    }

    /// The body of a refresh: `${refresh}` in it is the refresh token.
    static let refreshTemplate = text("write text with \"${refresh}\" in it") { text throws(Misfit) in
        let template = try parse(text, word: "refresh")
        guard template.parts.contains(.refreshToken) else {
            throw Misfit(message: "never sends the refresh token", hint: "write \"${refresh}\" where it goes")
        }
        return template
    }

    private static func parse(_ text: String, word: String? = nil) throws(Misfit) -> Template {
        var parts: [ValueSpec] = []
        var literal = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            literal += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                literal += "$"
                rest.removeFirst()
            } else if rest.first == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Misfit(message: "has a \"${\" that is not closed", hint: "add \"}\"")
                }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                let name = rest[rest.index(after: rest.startIndex)..<end]
                parts.append(word.map { name == $0 } == true ? .refreshToken : try reference(name))
                rest = rest[rest.index(after: end)...]
            } else {
                literal += "$"
            }
        }
        literal += rest
        if !literal.isEmpty || parts.isEmpty { parts.append(.literal(literal)) }
        for case .literal(let text) in parts where QuotedText.holdsToken(text) {
            throw .secretInPlace
        }
        return Template(parts: parts)
    }

    /// The same, as the value of a header field.
    static let headerTemplate = template.checked { template in
        for case .literal(let text) in template.parts where !text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
            return Misfit(message: "holds a control character or a letter beyond ASCII", hint: "delete it")
        }
        return nil
    }

    private static func reference(_ text: Substring) throws(Misfit) -> ValueSpec {
        let hint = "write \"${file:/…}\", \"${env:NAME}\" or \"${systemd-credential:NAME}\""
        if text == "refresh" {
            throw Misfit(message: "has \"${refresh}\" in it", hint: "write it in the body of refresh: {…}")
        }
        guard let colon = text.firstIndex(of: ":") else {
            throw Misfit(message: "has a reference without a kind", hint: hint)
        }
        let value = String(text[text.index(after: colon)...])
        let report = ConfigurationReport()
        let node = ConfigurationNode(
            path: ConfigurationPath(), origin: ConfigurationNode.Origin(file: "", place: nil),
            content: .scalar(.string(value)))
        let spec: ValueSpec? =
            switch text[..<colon] {
            case "file": Field<String>.secretPath.read(node, report).map { .file(path: $0) }
            case "env": Field<String>.variable.read(node, report).map { .env(name: $0) }
            case "systemd-credential": Field<String>.systemdName.read(node, report).map { .systemdCredential(name: $0) }
            default: throw Misfit(message: "has a reference of an unknown kind", hint: hint)
            }
        guard let spec else {
            throw Misfit(message: "has a reference that leads nowhere", hint: report.problems.first?.hint)
        }
        return spec
    }
}

extension Field<HTTPSourceSpec.Refresh> {
    static let refresh = Field { node, report in
        ObjectReader.read(node, report) { object in
            var refresh = HTTPSourceSpec.Refresh(
                body: object.value("body", .refreshTemplate, default: HTTPSourceSpec.Refresh.standardBody))
            refresh.field = object.value("field", .pointer, default: refresh.field)
            refresh.target = object.optional("url", .sourceURL).map { .url($0) }
            refresh.fields = object.optional("headers", .sourceFields)
            return refresh
        }
    }
}

extension Field<[HTTPSourceSpec.Field]> {
    /// Fields of a request, of which one that carries a credential must take it from somewhere.
    static let sourceFields = Field { node, report in
        let fields = Field<[String: Template]>.map(
            of: .headerTemplate, key: .injectedFieldName, noun: "a header field"
        ).read(node, report)
        SourceKind.refuseInlineSecrets(node, report)
        return fields?.sorted { $0.key < $1.key }.map { HTTPSourceSpec.Field(name: $0.key, value: $0.value) }
    }
}

extension Field<ValueSpec> {
    /// A text, or one reference.
    static let value = Field { node, report in
        guard let template = Field<Template>.template.unshown.read(node, report) else { return nil }
        if let first = template.parts.first, template.parts.count == 1 { return first }
        report.add(node, "mixes text and references", hint: "write either text or one reference such as \"${file:/…}\"")
        return nil
    }
}

extension Field {
    /// An object whose keys are names of their own.
    static func map<Element>(
        of element: Field<Element>, key keyField: Field<String>, noun: String
    ) -> Field<[String: Element]> where Value == [String: Element] {
        Field { node, report in
            ObjectReader.read(node, report) { object in
                var values: [String: Element] = [:]
                var written: [String: String] = [:]
                for (key, member) in object.all {
                    let keyNode = ConfigurationNode(
                        path: member.value.path, origin: member.key, content: .scalar(.string(key)))
                    let inner = ConfigurationReport()
                    guard let name = keyField.read(keyNode, inner) else {
                        report.add(
                            at: member.key, member.value.path, "is no name for \(noun)",
                            hint: inner.problems.first?.hint)
                        continue
                    }
                    if let first = written[name] {
                        report.add(
                            at: member.key, member.value.path, "is the same as \(QuotedText.quote(first))",
                            hint: "delete one: upper and lower case make no difference")
                        continue
                    }
                    written[name] = key
                    if let value = element.read(member.value, report) { values[name] = value }
                }
                return values
            }
        }
    }
}

extension Misfit {
    static let secretInPlace = Misfit(
        message: "has the look of a secret",
        hint: "keep it out of the configuration: in a file of mode 0600, a variable or a systemd credential")
}
