// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// `credentials`: the specs by name, and which of them said themselves how they are written into a request.
struct CredentialsSection: Sendable {
    private(set) var specs: [String: CredentialSpec] = [:]
    /// Also of credentials whose spec is wrong, so that a route that names them is not blamed too.
    private(set) var names: Set<String> = []
    private(set) var forms: [String: HeaderForm] = [:]

    /// Stands in chains of other programs for what the caller brought; kept free, so that it can never name a secret.
    static let reservedName = "client"

    mutating func read(_ node: ConfigurationNode, _ report: ConfigurationReport) {
        var specs: [String: CredentialSpec] = [:]
        var names: Set<String> = []
        var forms: [String: HeaderForm] = [:]
        _ = ObjectReader.read(node, report) { object in
            for (name, member) in object.all {
                names.insert(name)
                guard Self.check(name, member, report) else { continue }
                let spec = ObjectReader.read(member.value, report) { credential -> CredentialSpec? in
                    let form = FormReader(credential)
                    if let form = form.form(default: nil) { forms[name] = form }
                    return Self.spec(name, form.form(default: .bearer) ?? .bearer, credential)
                }
                specs[name] = spec
            }
            return true
        }
        (self.specs, self.names, self.forms) = (specs, names, forms)
    }

    private static func check(
        _ name: String, _ member: ConfigurationNode.Member, _ report: ConfigurationReport
    ) -> Bool {
        if name == reservedName {
            report.add(at: member.key, member.value.path, "is a reserved name", hint: "call the credential otherwise")
            return false
        }
        let isWord = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-_.".utf8.contains(byte)
        }
        if isWord, let first = name.utf8.first, !"-_.".utf8.contains(first), name.utf8.count <= 64 { return true }
        report.add(
            at: member.key, member.value.path, "is no name for a credential",
            hint: "use up to 64 letters, digits, \"-\", \"_\" and \".\", a letter or digit first")
        return false
    }

    private static func spec(_ name: String, _ form: HeaderForm, _ object: ObjectReader) -> CredentialSpec? {
        for key in ["value", "token", "key", "apiKey", "api_key", "secret", "password", "bearer"] {
            object.refuse(
                key, "would hold a secret in the configuration",
                hint: "put it in a file of mode 0600 and write source: \"file\", path: …; or use \"systemd-credential\""
            )
        }
        let words = "\"file\", \"env\", \"exec\", \"http\" or \"systemd-credential\""
        let sourceKind: SourceKind? = object.required("source", .word, hint: "write source: \(words)")
        object.toleratesUnknownKeys = sourceKind == nil
        let source = sourceKind?.read(object)
        let kind = object.value("kind", .word, default: CredentialKindWord.token)
        let maxAge = object.optional("maxAge", .duration(in: .seconds(1) ... .seconds(366 * 86_400)))
        let prefetch = object.value("prefetch", .bool, default: false)
        if let source, source.isAuthoritative {
            object.refuse(
                "cache", "has no use with source \"\(source.kind)\", which is read anew at every start",
                hint: "remove it")
        }
        let isKept =
            !object.has("cache") || source?.isAuthoritative == true
            ? false : object.value("cache", .word, default: CacheWord.none) == .state
        guard let source else { return nil }
        return CredentialSpec(
            name: name, kind: kind == .token ? .token : .key, source: source, form: form, maxAge: maxAge,
            prefetch: prefetch, isKept: isKept)
    }
}

/// The words of `kind`.
enum CredentialKindWord: String, Sendable, CaseIterable {
    case token, key
}

/// The words of `cache`: where a value is kept beside the memory.
enum CacheWord: String, Sendable, CaseIterable {
    case none, state
}

/// `header` and `scheme`, which a credential, an injection and a link may each have.
struct FormReader {
    private let header: String?
    private let scheme: String?
    private let hasScheme: Bool
    /// Whether a part is written, but wrongly: nothing can be said of where the credential would go.
    let isBroken: Bool

    init(_ object: ObjectReader) {
        header = object.optional("header", .injectedFieldName)
        hasScheme = object.has("scheme")
        scheme = object.optional("scheme", .scheme)
        isBroken = (object.has("header") && header == nil) || (hasScheme && scheme == nil)
    }

    var isWritten: Bool { header != nil || hasScheme }

    /// What is written, filled up from `form`; nil if nothing is written and there is no `form`.
    ///
    /// A header without a scheme has `Bearer` where the field is `Authorization`, else the bare value.
    func form(default form: HeaderForm?) -> HeaderForm? {
        guard isWritten else { return form }
        let header = header ?? form?.field ?? HeaderForm.bearer.field
        let scheme = hasScheme ? scheme : (header == HeaderForm.bearer.field ? HeaderForm.bearer.scheme : nil)
        return HeaderForm(field: header, scheme: scheme?.isEmpty == true ? nil : scheme)
    }
}

extension Field<String> {
    /// The scheme before the value; empty for the bare value.
    static let scheme = text("write a word such as \"Bearer\", or \"\" for the value alone") { text throws(Misfit) in
        if text.isEmpty { return text }
        guard let form = HeaderForm(field: "authorization", scheme: text), let scheme = form.scheme else {
            throw Misfit()
        }
        return scheme
    }

    /// Fields that frame a message or belong to one connection: to write into them is to break the message.
    static let framingFields: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "via",
    ]

    static let injectedFieldName = fieldName.checked { name in
        guard framingFields.contains(name) || name.hasPrefix("sec-websocket-") else { return nil }
        return Misfit(hint: "choose another: this field frames the message or belongs to the connection")
    }
}
