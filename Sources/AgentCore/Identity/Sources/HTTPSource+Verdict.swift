// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension HTTPSource {
    /// Judges an answer: the token in it, or why there is none.
    struct Verdict {
        private let answer: ClientAnswer
        private let name: String
        private let spec: HTTPSourceSpec
        private let words: ForeignWords
        private let now: HostTime

        init(
            _ answer: ClientAnswer, of target: ClientTarget, _ spec: HTTPSourceSpec, words: ForeignWords,
            at now: HostTime
        ) {
            self.answer = answer
            name = target.description
            self.spec = spec
            self.words = words
            self.now = now
        }

        /// The token. A refresh token beside it goes to `grant`, also if the token itself is no good: the issuer has
        /// given up the old one.
        func value(_ grant: RefreshGrant) throws(CredentialFailure) -> SourceValue {
            if let refresh = spec.refresh, (200..<300).contains(answer.status),
                let text = document.flatMap({ Self.text(at: refresh.field, in: $0) }),
                let token = try? TokenRules.validated(text.utf8.span)
            {
                grant.replace(by: token)
            }
            return try value()
        }

        private static func text(at pointer: String, in document: JSONValue) -> String? {
            (try? JSONPointer(pointer)).flatMap { document[$0]?.stringValue }
        }

        private var document: JSONValue? {
            answer.content.withExposedBytes { try? JSONValue.decode($0) }
        }

        /// What the issuer says of a refresh token that it takes no more (RFC 6749 §5.2); nil if it says no such thing.
        var grantRefusal: String? {
            guard (400..<500).contains(answer.status), document?["error"]?.stringValue == "invalid_grant" else {
                return nil
            }
            return "\(name) answered \(answer.status) (\(complaint ?? "invalid_grant"))"
        }

        private func value() throws(CredentialFailure) -> SourceValue {
            switch answer.status {
            case 200..<300: break
            case 300..<400: throw redirect
            default: throw refusal
            }
            guard answer.content.count > 0 else {
                throw CredentialFailure(
                    .empty,
                    "\(name) answered \(answer.status) with no content; see whether it has a token for this host")
            }
            guard answer.contentEncoding.isEmpty || answer.contentEncoding == "identity" else {
                throw CredentialFailure(
                    .malformed,
                    "\(name) answered in the coding \"\(String(printing: answer.contentEncoding, limit: 40))\""
                        + " though none was asked for; turn compression off there")
            }
            if isWebPage {
                throw CredentialFailure(
                    .malformed,
                    "\(name) answered \(answer.status) with a web page (HTML) and no token;"
                        + " see the address, and whether a login page stands before it")
            }
            do throws(CredentialFailure) {
                var value = try answer.content.withExposedBytes { bytes throws(CredentialFailure) in
                    try spec.field.value(in: bytes)
                }
                value.issuerWall = answer.date
                return value
            } catch {
                // Some answer 200 to tell of an error.
                if let complaint {
                    throw CredentialFailure(.refused, "\(name) answered \(answer.status) with an error: \(complaint)")
                }
                throw CredentialFailure(error.kind, "\(name): \(error.message)")
            }
        }

        private var redirect: CredentialFailure {
            let place =
                switch answer.location {
                case .host(let host)?: " and points to the host \(host)"
                case .sameHost?: " and points to another path of the same host"
                case .unreadable?: " and points to an address that is none"
                case nil: ""
                }
            return CredentialFailure(
                .refused,
                "\(name) answered \(answer.status)\(place); a redirect is not followed, write the final address")
        }

        private var refusal: CredentialFailure {
            let rest = retryAfter
            let repair =
                switch answer.status {
                case 400, 422: "see the method, headers and body that it is asked with"
                case 401, 403: "see whether the secret it is asked with is right, still valid and permitted to do this"
                case 404, 405, 410: "see the address and the method"
                case 408, 429, 500...: "it is asked again"
                default: "see what it expects"
                }
            let wish = rest.map { " in \(ReadableDuration($0.nanoseconds)), as it wishes" } ?? ""
            let says = complaint.map { " (\($0))" } ?? ""
            let ending =
                rest == nil
                ? repair : repair == "it is asked again" ? repair + wish : "\(repair); it is asked again\(wish)"
            return CredentialFailure(
                .refused, "\(name) answered \(answer.status)\(says); \(ending)", retryAfter: rest)
        }

        /// Against the server's own clock when it tells it: a wrong one here or there must not lengthen the rest.
        private var retryAfter: Duration? {
            switch answer.retryAfter {
            case .seconds(let seconds)?: .seconds(seconds)
            case .at(let wall)?: .nanoseconds(max(0, wall.minus(answer.date ?? now.wall)))
            case nil: nil
            }
        }

        private var isWebPage: Bool {
            if answer.contentType == "text/html" || answer.contentType == "application/xhtml+xml" { return true }
            let start = beginning.drop { $0.isWhitespace }.prefix(15).lowercased()
            return start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
        }

        /// The first bytes of the content.
        private var beginning: String {
            answer.content.withExposedBytes { String(printing: $0.extracting(first: min($0.count, 4096)), limit: 4096) }
        }

        // MARK: The issuer's own words

        /// What it says is wrong, bounded and with secrets taken out; nil if it says nothing that can be shown.
        private var complaint: String? {
            if answer.content.count == 0 || isWebPage { return nil }
            if let document {
                if answer.status < 300, document["error"] == nil { return nil }
                return Self.complaint(in: document).map { words.beginning(of: $0) }
            }
            // Of text that announced itself as something else, or as nothing, nobody knows what it is.
            guard answer.status >= 400, answer.contentType.isEmpty || answer.contentType == "text/plain" else {
                return nil
            }
            let text = words.beginning(of: beginning)
            return text.isEmpty ? nil : text
        }

        /// RFC 6749 §5.2, RFC 9457, and what Google, GitHub and Vault write instead.
        private static func complaint(in document: JSONValue) -> String? {
            let error = document["error"]
            let code = error?.stringValue ?? error?["status"]?.stringValue
            let candidates: [JSONValue?] = [
                document["error_description"], error?["message"], document["message"],
                document["errors"]?.arrayValue?.first, document["detail"], document["title"],
            ]
            let text = candidates.lazy.compactMap { $0?.stringValue }.first
            let parts = [code, text].compactMap { $0 }.filter { !$0.isEmpty }
            return parts.isEmpty ? nil : parts.joined(separator: ": ")
        }
    }
}
