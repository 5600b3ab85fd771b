// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// An error that the agent itself answers with, in the shape that the caller's SDK knows from the provider.
struct ErrorAnswer: Error, Sendable, Equatable {
    let status: Int
    /// Short, bounded, for metrics and the log: `no-credential`.
    let code: String
    /// One sentence: what is wrong, and what to do.
    let message: String
    /// Seconds for a `Retry-After` field.
    var retryAfter: Int64?
    /// The methods of the `Allow` field of a 405.
    static let allow: StaticString = "GET, HEAD"

    init(_ status: Int, _ code: String, _ message: String, retryAfter: Int64? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// The word for the kind of error that the provider's clients choose their exception by.
    ///
    /// Never `authentication_error`: for that type the Vercel AI SDK throws the message away and advises to make a new
    /// API key, which is not what has to be done here.
    private func type(for gateway: GatewayKind) -> String {
        switch (status, gateway) {
        case (403, .anthropic): "permission_error"
        case (403, _): "permission_denied"
        case (404, .anthropic): "not_found_error"
        case (400..<500, _): "invalid_request_error"
        case (503, .anthropic), (504, .anthropic): "api_error"
        case (_, .anthropic): "api_error"
        default: "internal_server_error"
        }
    }

    /// The content, JSON: Anthropic's shape or OpenAI's, which the others follow.
    func json(for gateway: GatewayKind, request: String) -> String {
        var text = ByteBuffer(capacity: 512)
        if gateway == .anthropic {
            text.append("{\"type\":\"error\",\"error\":{\"type\":")
        } else {
            text.append("{\"error\":{\"type\":")
        }
        text.append(jsonString: type(for: gateway))
        text.append(",\"message\":")
        text.append(jsonString: message)
        if gateway != .anthropic {
            text.append(",\"param\":null,\"code\":")
            text.append(jsonString: code)
        }
        text.append("},\"request_id\":")
        text.append(jsonString: request)
        text.append("}\n")
        return String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
    }
}
