// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// One certificate.
///
/// Sendable: it is not changed once it is parsed or signed, and its references are counted atomically.
@safe
final class X509Certificate: @unchecked Sendable {
    let handle: OpaquePointer

    init(owning handle: OpaquePointer) {
        unsafe self.handle = handle
    }

    /// Takes a reference of its own to somebody else's certificate.
    static func sharing(_ handle: OpaquePointer) -> X509Certificate? {
        unsafe X509_up_ref(handle) == 1 ? X509Certificate(owning: handle) : nil
    }

    deinit {
        unsafe X509_free(handle)
    }

    /// `Nov 21 08:30:00 2026 GMT`.
    var notBefore: String { unsafe Self.text(of: X509_get0_notBefore(handle)) }
    var notAfter: String { unsafe Self.text(of: X509_get0_notAfter(handle)) }

    private static func text(of time: UnsafePointer<ASN1_TIME>?) -> String {
        unsafe withMemoryBIO { unsafe _ = ASN1_TIME_print($0, time) }
    }

    /// The subject's common name as one printable line; nil when it has none.
    var commonName: String? {
        var text = [CChar](repeating: 0, count: 256)
        let length = unsafe X509_NAME_get_text_by_NID(
            X509_get_subject_name(handle), NID_commonName, &text, Int32(text.count))
        guard length > 0 else { return nil }
        let bytes = text.prefix(Int(length)).map { UInt8(bitPattern: $0) }
        return String(printing: bytes.span, limit: 100)
    }

    /// The names it was issued for: DNS names and IP addresses, printable, whatever the issuer wrote in there.
    var alternativeNames: [String] {
        let text = unsafe Self.withMemoryBIO { bio in
            let position = unsafe X509_get_ext_by_NID(handle, NID_subject_alt_name, -1)
            guard position >= 0 else { return }
            unsafe _ = X509V3_EXT_print(bio, X509_get_ext(handle, position), 0, 0)
        }
        OpenSSLErrors.clear()
        return text.split(separator: ",").map { name in
            let bare = name.drop(while: { $0 == " " })
            let value = bare.split(separator: ":", maxSplits: 1).last.map(String.init) ?? ""
            return String(printing: value, limit: 100)
        }
    }

    /// As a PEM block.
    var pem: String {
        unsafe Self.withMemoryBIO { unsafe _ = PEM_write_bio_X509($0, handle) }
    }

    private static func withMemoryBIO(_ body: (OpaquePointer) -> Void) -> String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe _ = BIO_free(bio) }
        unsafe body(bio)
        var contents: UnsafeMutablePointer<CChar>?
        let length = unsafe copenssl_memory_contents(bio, &contents)
        guard let contents = unsafe contents, length > 0 else { return "" }
        return unsafe String(decoding: UnsafeRawBufferPointer(start: contents, count: length), as: UTF8.self)
    }
}
