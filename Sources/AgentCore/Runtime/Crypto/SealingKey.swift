// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) under one key, for what is put to rest on disk.
///
/// A sealed box is `nonce (12) ‖ ciphertext ‖ tag (16)`. The nonce is drawn at random, which is safe for 2³² boxes
/// under one key (SP 800-38D §8.3): far more than an agent writes.
struct SealingKey: Sendable {
    static let keyLength = 32
    static let nonceLength = 12
    static let tagLength = 16

    private let key: Secret

    /// - Parameter key: 32 bytes.
    init(_ key: Secret) throws(CryptoFailure) {
        guard key.count == Self.keyLength else {
            throw CryptoFailure("a sealing key is \(Self.keyLength) bytes long, not \(key.count)")
        }
        self.key = key
    }

    /// Encrypts and authenticates `plaintext`; `context` is authenticated with it and must be given again to open.
    func seal(_ plaintext: Secret, context: Span<UInt8>) throws(CryptoFailure) -> [UInt8] {
        let nonce = RandomBytes.make(Self.nonceLength)
        var box = [UInt8](repeating: 0, count: Self.nonceLength + plaintext.count + Self.tagLength)
        let done = plaintext.withExposedBytes { bytes in
            unsafe withCipher(encrypting: true, nonce: nonce, context: context) { cipher in
                var length: Int32 = 0
                return unsafe box.withUnsafeMutableBufferPointer { box in
                    guard let output = unsafe box.baseAddress.map({ unsafe $0 + Self.nonceLength }) else {
                        return false
                    }
                    return unsafe Self.update(cipher, output, bytes)
                        && EVP_EncryptFinal_ex(cipher, output + bytes.count, &length) == 1
                        && EVP_CIPHER_CTX_ctrl(
                            cipher, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), output + bytes.count) == 1
                }
            }
        }
        guard done else { throw CryptoFailure(openSSL: "nothing sealed") }
        box.replaceSubrange(..<Self.nonceLength, with: nonce)
        return box
    }

    /// Nil when the box was sealed under another key or context, or was changed since.
    func open(_ box: Span<UInt8>, context: Span<UInt8>) -> Secret? {
        guard box.count >= Self.nonceLength + Self.tagLength else { return nil }
        let nonce = unsafe box.extracting(first: Self.nonceLength).withUnsafeBytes { unsafe Array($0) }
        let ciphertext = box.extracting(Self.nonceLength..<(box.count - Self.tagLength))
        var tag = unsafe box.extracting(last: Self.tagLength).withUnsafeBytes { unsafe Array($0) }
        // One byte more: an empty plaintext still needs an address.
        var plaintext = [UInt8](repeating: 0, count: ciphertext.count + 1)
        defer { unsafe OPENSSL_cleanse(&plaintext, plaintext.count) }
        let opened = unsafe withCipher(encrypting: false, nonce: nonce, context: context) { cipher in
            var length: Int32 = 0
            return unsafe plaintext.withUnsafeMutableBufferPointer { output in
                guard let output = output.baseAddress else { return false }
                return unsafe Self.update(cipher, output, ciphertext)
                    && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1
                    && EVP_DecryptFinal_ex(cipher, output + ciphertext.count, &length) == 1
            }
        }
        OpenSSLErrors.clear()
        return opened ? Secret(copying: plaintext.span.extracting(first: ciphertext.count)) : nil
    }

    private func withCipher(
        encrypting: Bool, nonce: [UInt8], context: Span<UInt8>, _ body: (OpaquePointer) -> Bool
    ) -> Bool {
        OpenSSLErrors.clear()
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { return false }
        defer { unsafe EVP_CIPHER_CTX_free(cipher) }
        let isReady = key.withExposedBytes { key in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), nil, key.baseAddress, nonce, encrypting ? 1 : 0)
                    == 1
            }
        }
        return unsafe isReady && Self.update(cipher, nil, context) && body(cipher)
    }

    /// Feeds bytes; without an output they are only authenticated.
    private static func update(
        _ cipher: OpaquePointer, _ output: UnsafeMutablePointer<UInt8>?, _ bytes: Span<UInt8>
    ) -> Bool {
        guard !bytes.isEmpty else { return true }
        guard let count = Int32(exactly: bytes.count) else { return false }
        var length: Int32 = 0
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe EVP_CipherUpdate(cipher, output, &length, bytes.baseAddress, count) == 1
        }
    }
}
