// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Why the embedded gateway refuses a call.
struct APIError: Error {
    let status: Int
    /// The word by which clients choose their exception.
    let type: String
    let message: String
    var fields: [(String, String)] = []

    init(_ status: Int, _ type: String, _ message: String) {
        self.status = status
        self.type = type
        self.message = message
    }

    static func unauthorized(_ message: String) -> APIError {
        var error = APIError(401, "authentication_error", message)
        error.fields = [("WWW-Authenticate", "Bearer error=\"invalid_token\"")]
        return error
    }

    static func invalid(_ message: String) -> APIError {
        APIError(400, "invalid_request_error", message)
    }
}

/// Whose errors a path speaks.
enum APIShape {
    case openAI, anthropic

    init(path: String) {
        self = path.hasPrefix("/v1/messages") ? .anthropic : .openAI
    }

    func json(_ error: APIError) -> JSONValue {
        switch self {
        case .openAI:
            [
                "error": [
                    "message": .string(error.message), "type": .string(error.type), "param": .null,
                    "code": .string(error.type),
                ]
            ]
        case .anthropic:
            [
                "type": "error", "request_id": .string("req_\(Base64URL.encode(RandomBytes.make(9)))"),
                "error": ["type": .string(error.type), "message": .string(error.message)],
            ]
        }
    }
}
