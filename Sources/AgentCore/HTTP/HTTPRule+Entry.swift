// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension HTTPRule {
    /// What is told of a broken rule.
    struct Entry {
        /// The status of the answer when a request broke it.
        let status: Int
        let fault: String
        let repair: String
        let section: String

        init(_ status: Int, _ fault: String, _ repair: String, _ section: String) {
            self.status = status
            self.fault = fault
            self.repair = repair
            self.section = section
        }
    }

    var status: Int { entry.status }

    /// The one table of statuses and sentences.
    var entry: Entry {
        switch self {
        case .emptyLines:
            Entry(400, "the request begins with several empty lines", "send at most one", "RFC 9112 §2.2")
        case .method:
            Entry(400, "the method is not a token", "begin the request line with a method such as GET", "RFC 9112 §3.1")
        case .methodLength:
            Entry(501, "the method is longer than the limit", "use a registered method", "RFC 9112 §3")
        case .requestLine:
            Entry(400, "the request line is malformed", "write `method SP target SP HTTP/1.1 CRLF`", "RFC 9112 §3")
        case .target:
            Entry(400, "the request target holds a byte that it may not", "percent-encode it", "RFC 9112 §3.2")
        case .targetLength:
            Entry(414, "the request target is longer than the limit", "shorten the target", "RFC 9112 §3")
        case .version:
            Entry(400, "the protocol version is malformed", "write HTTP/1.1", "RFC 9112 §2.3")
        case .versionUnsupported:
            Entry(505, "the protocol version is not served", "speak HTTP/1.1 or HTTP/1.0", "RFC 9110 §2.5")
        case .statusLine:
            Entry(400, "the status line is malformed", "write `HTTP/1.1 SP status SP reason CRLF`", "RFC 9112 §4")

        case .absoluteForm:
            Entry(
                400, "the request target is in absolute form", "set a base URL instead of a plain HTTP proxy",
                "RFC 9112 §3.2.2")
        case .asteriskForm:
            Entry(400, "the request target is `*`", "name a path", "RFC 9112 §3.2.4")
        case .connect:
            Entry(501, "CONNECT is not served", "set a base URL instead of an HTTPS proxy", "RFC 9110 §9.3.6")
        case .trace:
            Entry(
                405, "TRACE is refused, since its answer would show the credential", "use another method",
                "RFC 9110 §9.3.8")
        case .doubleSlash:
            Entry(
                400, "the path begins with `//`", "write one slash; a base URL that ends in a slash may be the cause",
                "RFC 3986 §3.3")
        case .dotSegment:
            Entry(400, "the path holds a `.` or `..` segment", "resolve it before sending", "RFC 3986 §5.2.4")
        case .percentTriplet:
            Entry(
                400, "a percent sign in the path is not followed by two hexadecimal digits", "write it as %25",
                "RFC 3986 §2.1")
        case .encodedControl:
            Entry(400, "the path holds an encoded control byte", "remove it", "RFC 3986 §7.3")
        case .prefixBoundary:
            Entry(
                500, "the route's prefix ends inside a segment of the path", "end the route's prefix with a slash",
                "RFC 3986 §3.3")

        case .bareCarriageReturn:
            Entry(400, "a CR stands without LF", "end every line with CRLF", "RFC 9112 §2.2")
        case .bareLineFeed:
            Entry(400, "a line ends in LF alone", "end every line with CRLF", "RFC 9112 §2.2")
        case .obsoleteFolding:
            Entry(400, "a field line begins with whitespace", "write each field on one line", "RFC 9112 §5.2")
        case .spaceInFieldName:
            Entry(400, "whitespace stands in a field name or before its colon", "remove it", "RFC 9112 §5.1")
        case .emptyFieldName:
            Entry(400, "a field has no name", "write `name: value`", "RFC 9110 §5.1")
        case .fieldName:
            Entry(400, "a field name holds a byte that is not a token's", "use letters, digits and -", "RFC 9110 §5.1")
        case .missingColon:
            Entry(400, "a field line has no colon", "write `name: value`", "RFC 9112 §5")
        case .fieldValue:
            Entry(400, "a field value holds a control byte", "remove it", "RFC 9110 §5.5")
        case .headLength:
            Entry(431, "the head is longer than the limit", "send fewer or shorter fields", "RFC 6585 §5")
        case .fieldCount:
            Entry(431, "the message has more fields than the limit", "send fewer fields", "RFC 6585 §5")

        case .hostMissing:
            Entry(400, "an HTTP/1.1 request has no Host", "send exactly one", "RFC 9112 §3.2")
        case .hostRepeated:
            Entry(400, "the request has several Host fields", "send exactly one", "RFC 9112 §3.2")
        case .host:
            Entry(400, "the Host is not a host name or address with an optional port", "correct it", "RFC 9110 §7.2")
        case .connection:
            Entry(400, "a Connection field is not a list of tokens", "correct it", "RFC 9110 §7.6.1")
        case .connectionOptions:
            Entry(400, "Connection names more fields than the limit", "name fewer fields", "RFC 9110 §7.6.1")
        case .expectation:
            Entry(417, "the expectation is not 100-continue", "remove the Expect field", "RFC 9110 §10.1.1")
        case .upgradeWithContent:
            Entry(400, "an upgrade request carries content", "send the handshake without content", "RFC 6455 §4.1")
        case .upgradeUnasked:
            Entry(400, "the protocol was switched though nobody asked", "answer the request", "RFC 9110 §15.2.2")

        case .contentLength:
            Entry(400, "Content-Length is not one decimal number", "send digits alone", "RFC 9110 §8.6")
        case .contentLengthRepeated:
            Entry(400, "Content-Length is repeated", "send it once", "RFC 9112 §6.3")
        case .contentLengthWithCoding:
            Entry(400, "Content-Length and Transfer-Encoding come together", "send one of them", "RFC 9112 §6.1")
        case .transferCoding:
            Entry(400, "Transfer-Encoding is not exactly `chunked`", "use chunked alone", "RFC 9112 §6.1")
        case .transferCodingUnknown:
            Entry(501, "a transfer coding other than chunked is used", "use chunked alone", "RFC 9112 §6.1")
        case .transferCodingVersion:
            Entry(400, "an HTTP/1.0 message has a Transfer-Encoding", "use Content-Length", "RFC 9112 §6.1")
        case .contentTooLarge:
            Entry(413, "the content is longer than the limit", "send less", "RFC 9110 §15.5.14")

        case .chunkSize:
            Entry(400, "a chunk size is not a hexadecimal number", "send digits, then CRLF", "RFC 9112 §7.1")
        case .chunkExtension:
            Entry(400, "a chunk extension holds a control byte", "remove it", "RFC 9112 §7.1.1")
        case .chunkExtensionLength:
            Entry(400, "the chunk extensions are longer than the limit", "send none", "RFC 9112 §7.1.1")
        case .chunkEnd:
            Entry(400, "the data of a chunk is not followed by CRLF", "count the chunk's bytes", "RFC 9112 §7.1")
        case .trailerLength:
            Entry(431, "the trailer section is longer than the limit", "send shorter trailers", "RFC 9112 §7.1.2")
        }
    }
}
