// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

// A span cannot pass through `#expect`; an array can.

extension SHA256 {
    static func digest(_ bytes: [UInt8]) -> [UInt8] { digest(bytes.span) }
}

extension SigningKey {
    func sign(_ message: [UInt8]) throws(CryptoFailure) -> [UInt8] { try sign(message.span) }
}

extension VerificationKey {
    func verifies(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        verifies(signature.span, over: message.span)
    }
}

extension SealingKey {
    func seal(_ plaintext: [UInt8], context: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        try seal(Secret(copying: plaintext.span), context: context.span)
    }

    func open(_ box: [UInt8], context: [UInt8]) -> [UInt8]? { open(box.span, context: context.span)?.exposed }
}

extension Secret {
    init(_ text: String) { self.init(copying: text.utf8.span) }
    init(bytes: [UInt8]) { self.init(copying: bytes.span) }
    /// The value, copied. Tests only.
    var exposed: [UInt8] { withExposedBytes { bytes in bytes.indices.map { bytes[$0] } } }
}
