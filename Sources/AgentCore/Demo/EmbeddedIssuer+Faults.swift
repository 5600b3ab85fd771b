// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension EmbeddedIssuer {
    /// Answers a good request wrongly.
    func answer(_ call: EmbeddedCall, _ fault: IssuerFault, isPost: Bool) async throws(EmbeddedCall.Abandoned) {
        switch fault {
        case .down:
            throw call.abandon()
        case .hang:
            while true { try await call.pause(.seconds(3600)) }
        case .drip:
            let bytes = answer(token(), isPost: isPost).bytes
            try await call.begin(200, [("Content-Type", "application/json")], length: bytes.count)
            for byte in bytes {
                try await call.send([byte])
                try await call.pause(.milliseconds(200))
            }
            try await call.end()
        case .serverError:
            try await call.answer(500, json: ["error": "the issuer is out of order"])
        case .tooManyRequests(let seconds):
            try await call.answer(429, [("Retry-After", "\(seconds)")], json: ["error": "too many requests"])
        case .empty:
            try await call.answer(200, body: [])
        case .garbage:
            try await call.answer(200, type: "application/json", body: Self.garbage)
        case .expiredToken:
            try await answer(call, token: token(age: life + 60), isPost: isPost)
        case .sameToken:
            try await answer(call, token: lastToken, isPost: isPost)
        case .otherAudience:
            try await answer(call, token: token(audience: "\(audience)/other"), isPost: isPost)
        case .html:
            let page = "<!doctype html><html><head><title>Sign in</title></head><body>Sign in to go on.</body></html>\n"
            try await call.answer(200, type: "text/html; charset=utf-8", body: Array(page.utf8))
        case .truncated:
            let bytes = answer(token(), isPost: isPost).bytes
            try await call.begin(200, [("Content-Type", "application/json")], length: bytes.count)
            try await call.send(Array(bytes.prefix(bytes.count / 2)))
        case .redirect:
            try await call.answer(302, [("Location", "\(url)/elsewhere")], body: [])
        }
    }

    /// 1 MiB, with every value that a byte can have.
    private static let garbage: [UInt8] = {
        var word: UInt32 = 0x2545_F491
        return (0..<(1 << 20)).map { _ in
            word = word &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: word >> 24)
        }
    }()
}
