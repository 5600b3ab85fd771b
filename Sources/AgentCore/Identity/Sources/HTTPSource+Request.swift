// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A request whose parts have been read: ready to go, for one call.
struct PreparedRequest: Sendable {
    let call: ClientCall
    /// nil for plain text.
    let context: TLSContext?
    /// Knows the secrets that the request carries, in case that the answer repeats one.
    let words: ForeignWords

    /// Blocks: reads files.
    init(_ spec: HTTPSourceSpec, to target: ClientTarget) throws(CredentialFailure) {
        var call = ClientCall(target: target, method: spec.method, answerLimitBytes: spec.answerLimitBytes)
        var secrets: [Secret] = []
        var type: String?
        for field in spec.fields {
            let value = try field.value.rendered(as: .text, secrets: &secrets)
            if field.name.lowercased() == "content-type" { type = Self.text(value) }
            call.fields.append(ClientCall.Field(name: field.name, value: value))
        }
        let names = Set(spec.fields.map { $0.name.lowercased() })
        if let body = spec.body {
            let coding = type.map { BodyCoding(contentType: $0) } ?? BodyCoding(guessedFrom: body)
            call.content = try body.rendered(as: coding, secrets: &secrets)
            if type == nil, let value = coding.contentType { call.append("content-type", value) }
        }
        if case .json = spec.field, !names.contains("accept") { call.append("accept", "application/json") }
        self.call = call
        words = ForeignWords(secrets: secrets)
        guard target.tls != nil else {
            context = nil
            return
        }
        do throws(TLSFailure) { context = try TLSContexts.context(for: spec.tls) } catch {
            throw CredentialFailure(.unavailable, "\(target.description): \(error)")
        }
    }

    private static func text(_ value: Secret) -> String {
        value.withExposedBytes { String(printing: $0) }
    }
}

extension ClientCall {
    fileprivate mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: Secret(copying: value.utf8.span)))
    }
}

/// How a value that is put into a text must be written, so that it ends where it should: a secret with `&` in it would
/// be two fields of a form.
enum BodyCoding: Sendable {
    /// As it is.
    case text
    /// `application/x-www-form-urlencoded`: percent-encoded.
    case form
    /// Inside the quotes of a JSON string: escaped.
    case json

    init(contentType: String) {
        let type = contentType.lowercased().prefix { !"; \t".contains($0) }
        switch type {
        case "application/x-www-form-urlencoded": self = .form
        case _ where type == "application/json" || type.hasSuffix("+json"): self = .json
        default: self = .text
        }
    }

    /// When no `Content-Type` is configured: JSON if it begins like it, else a form.
    init(guessedFrom body: Template) {
        guard case .literal(let text)? = body.parts.first else {
            self = .text
            return
        }
        let first = text.first { !$0.isWhitespace }
        self = first == "{" || first == "[" ? .json : .form
    }

    var contentType: String? {
        switch self {
        case .text: nil
        case .form: "application/x-www-form-urlencoded"
        case .json: "application/json"
        }
    }

    func append(_ value: Span<UInt8>, to buffer: SecretBuffer) {
        switch self {
        case .text:
            buffer.append(value)
        case .json:
            // A value has visible ASCII alone (`TokenRules`): two bytes need an escape.
            for index in value.indices {
                if value[index] == UInt8(ascii: "\"") || value[index] == UInt8(ascii: "\\") {
                    buffer.append([UInt8(ascii: "\\")].span)
                }
                buffer.append(value.extracting(index..<index + 1))
            }
        case .form:
            let digits = Array("0123456789ABCDEF".utf8)
            for index in value.indices {
                switch value[index] {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "*"):
                    buffer.append(value.extracting(index..<index + 1))
                case let byte:
                    buffer.append([UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]].span)
                }
            }
        }
    }
}

extension Template {
    /// All parts in a row; those that stand between literals are coded, one that stands alone is the whole text already.
    ///
    /// - Parameter secrets: gains every value that is not a literal, as it is and as it is sent.
    func rendered(as coding: BodyCoding, secrets: inout [Secret]) throws(CredentialFailure) -> Secret {
        let text = SecretBuffer()
        for part in parts {
            let value = try part.resolved()
            if case .literal = part {
                value.withExposedBytes { text.append($0) }
                continue
            }
            let coded = SecretBuffer()
            value.withExposedBytes { (parts.count > 1 ? coding : .text).append($0, to: coded) }
            secrets += [value, coded.secret]
            coded.secret.withExposedBytes { text.append($0) }
        }
        return text.secret
    }
}
