// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The answer to a single call: its content, and the fields that somebody who asks for a token looks at.
struct ClientAnswer: Sendable {
    let status: Int
    /// The server's clock, from `Date`: nanoseconds since 1970.
    let date: Int64?
    let retryAfter: RetryAfter?
    /// Lower case, without parameters: `application/json`; empty if nothing is said.
    let contentType: String
    /// Lower case; empty if nothing is said.
    let contentEncoding: String
    let location: Location?
    /// Wiped when the last reference goes.
    let content: Secret

    /// RFC 9110 §10.2.3.
    enum RetryAfter: Sendable, Equatable {
        case seconds(Int64)
        /// Nanoseconds since 1970.
        case at(Int64)

        init?(_ text: String) {
            if !text.isEmpty, text.utf8.allSatisfy(\.isDigit) {
                self = .seconds(text.utf8.count <= 9 ? Int64(text) ?? 0 : 1_000_000_000)
            } else if let wall = HTTPDate.wall(text) {
                self = .at(wall)
            } else {
                return nil
            }
        }
    }

    /// Where a `Location` points to; of the address only the host is kept, since the rest may hold a secret.
    enum Location: Sendable, Equatable {
        case sameHost
        case host(String)
        case unreadable

        init(_ text: String) {
            guard let slashes = text.firstRange(of: "//"),
                text[..<slashes.lowerBound].allSatisfy({ !"/?#".contains($0) })
            else {
                self = .sameHost
                return
            }
            let authority = text[slashes.upperBound...].prefix { !"/?#".contains($0) }
            let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
            let isPlain =
                !host.isEmpty && host.utf8.count <= 260
                && host.utf8.allSatisfy { ByteClass.hostName.contains($0) || "[]:".utf8.contains($0) }
            self = isPlain ? .host(String(host)) : .unreadable
        }
    }

    init(_ facts: Facts, content: Secret) {
        status = facts.status
        date = facts.date
        retryAfter = facts.retryAfter
        contentType = facts.contentType
        contentEncoding = facts.contentEncoding
        location = facts.location
        self.content = content
    }

    /// What is taken out of the head while it still stands in the buffer.
    struct Facts {
        var status: Int
        var date: Int64?
        var retryAfter: RetryAfter?
        var contentType: String
        var contentEncoding: String
        var location: Location?

        init(_ head: ResponseHead, in bytes: Span<UInt8>) {
            status = head.status
            var texts: [FieldName: String] = [:]
            for name in [FieldName.date, .retryAfter, .contentType, .contentEncoding, .location] {
                if let field = head.fields[name] { texts[name] = bytes.text(field.valueRange, limit: 1024) }
            }
            date = texts[.date].flatMap { HTTPDate.wall($0) }
            retryAfter = texts[.retryAfter].flatMap { RetryAfter($0) }
            let type = (texts[.contentType] ?? "").prefix { !"; \t".contains($0) }
            contentType = type.lowercased()
            contentEncoding = (texts[.contentEncoding] ?? "").lowercased()
            location = texts[.location].map { Location($0) }
        }
    }
}
