// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The words of `source`, and how the keys of each are read.
enum SourceKind: String, Sendable, CaseIterable {
    case file, env, exec, http
    case systemdCredential = "systemd-credential"

    /// nil if anything is wrong, which has been reported. What stands here is never shown: secrets are pasted into it.
    func read(_ object: ObjectReader) -> SourceSpec? {
        let field = Self.field(object)
        switch self {
        case .file:
            let path = object.required(
                "path", .secretPath.unshown, hint: "write the file's path, such as path: \"/run/token\"")
            return path.map { .file(path: $0, field: field) }
        case .env:
            let name = object.required(
                "name", .variable.unshown, hint: "write the variable's name, such as name: \"API_KEY\"")
            return name.map { .env(name: $0, field: field) }
        case .systemdCredential:
            let name = object.required("name", .systemdName.unshown, hint: "write the name given to LoadCredential=")
            return name.map { .systemdCredential(name: $0, field: field) }
        case .exec: return exec(object, field)
        case .http: return http(object, field)
        }
    }

    private func exec(_ object: ObjectReader, _ field: FieldSpec) -> SourceSpec? {
        let command = object.required(
            "command", .list(of: .argument.unshown), hint: "write the program and its arguments: command: [\"…\"]")
        let environment = object.optional("environment", .map(of: .value, key: .variable, noun: "a variable")) ?? [:]
        if let command, command.isEmpty, let node = object.node("command") {
            object.report.add(node, "is empty", hint: "write the program and its arguments: [\"…\"]")
        }
        var spec = ExecSpec(command: command ?? [], environment: environment, field: field)
        spec.timeLimit = object.value("timeout", .sourceTimeout, default: spec.timeLimit)
        spec.outputLimitBytes = object.value("outputBytes", .size(in: 64...16 << 20), default: spec.outputLimitBytes)
        return spec.command.isEmpty ? nil : .exec(spec)
    }

    private func http(_ object: ObjectReader, _ field: FieldSpec) -> SourceSpec? {
        let socket = object.optional("unix", .socketPath)
        let target: HTTPSourceSpec.Target?
        if object.has("unix") {
            let path = object.value("target", .requestTarget, default: "/")
            object.refuse("url", "cannot stand beside unix", hint: "write the path of the request as target: \"/…\"")
            target = socket.map { .unix(socket: $0, target: path) }
        } else {
            let url = object.required("url", .sourceURL, hint: "write url: \"https://…\", or unix: \"/run/….sock\"")
            target = url.map { .url($0) }
            object.refuse("target", "belongs to unix", hint: "write the whole address as url")
        }
        let written = object.optional("method", .method)
        let method = written ?? "GET"
        let fields = object.optional("headers", .sourceFields)
        let body = object.optional("body", .template)
        if method == "GET", written != nil || !object.has("method"), let node = object.node("body") {
            object.report.add(node, "has no use with method \"GET\"", hint: "write method: \"POST\", or remove body")
        }
        guard let target else { return nil }
        var spec = HTTPSourceSpec(target: target, method: method, body: body, field: field)
        spec.fields = fields ?? []
        spec.timeLimit = object.value("timeout", .sourceTimeout, default: spec.timeLimit)
        spec.answerLimitBytes = object.value("answerBytes", .size(in: 64...16 << 20), default: spec.answerLimitBytes)
        spec.refresh = object.optional("refresh", .refresh)
        if object.has("refresh"), !object.has("field"), let node = object.node("refresh") {
            object.report.add(
                node, "stands without field", hint: "write field: \"/…\" too: where in the JSON the token is")
        }
        return .http(spec)
    }

    /// `field` and `expiryField`, or `dotenv`: which part of the text is the token.
    private static func field(_ object: ObjectReader) -> FieldSpec {
        let token = object.optional("field", .pointer)
        let expiry = object.optional("expiryField", .pointer)
        let key = object.optional("dotenv", .variable.unshown)
        if object.has("expiryField"), !object.has("field"), let node = object.node("expiryField") {
            object.report.add(
                node, "stands without field", hint: "write field: \"/…\" too: where in the JSON the token is")
        }
        if object.has("dotenv"), object.has("field"), let node = object.node("dotenv") {
            object.report.add(
                node, "cannot stand beside field", hint: "keep field for JSON, or dotenv for KEY=value lines")
        }
        if let token { return .json(token: token, expiry: expiry) }
        return key.map { .dotenv(key: $0) } ?? .raw
    }

    /// A field that carries a credential must take it from somewhere.
    static func refuseInlineSecrets(_ node: ConfigurationNode, _ report: ConfigurationReport) {
        guard case .object(let members) = node.content else { return }
        for (name, member) in members {
            guard case .scalar(.string(let text)) = member.value.content, !text.contains("${") else { continue }
            let name = name.lowercased()
            let carriesSecret =
                ["authorization", "cookie", "proxy-authorization", "x-api-key", "api-key"].contains(name)
                || ["-token", "-key", "-secret"].contains { name.hasSuffix($0) }
            guard carriesSecret, !QuotedText.holdsToken(text) else { continue }
            report.add(
                member.value, "would hold a secret in the configuration",
                hint: "write where it is: \"${file:/…}\", \"${env:NAME}\" or \"${systemd-credential:NAME}\"")
        }
    }
}
