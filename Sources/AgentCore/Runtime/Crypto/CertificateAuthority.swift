// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// A small certificate authority of our own, for the demo's servers and for tests.
struct CertificateAuthority: Sendable {
    let certificate: X509Certificate
    private let key: SigningKey

    /// When a certificate counts, in seconds from now; negative is past.
    struct Validity: Sendable {
        var begins = -60
        var ends = 86_400
    }

    enum Use: String, Sendable {
        case server = "serverAuth"
        case client = "clientAuth"
    }

    /// A certificate and its key, as PEM text.
    struct Identity: Sendable {
        let certificate: X509Certificate
        let key: SigningKey

        func keyPEM() throws(CryptoFailure) -> Secret { try key.pem() }
    }

    init(commonName: String, validity: Validity = Validity()) throws(CryptoFailure) {
        key = try SigningKey.generate(.es256)
        var extensions: [(Int32, String)] = [
            (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
            (NID_key_usage, "critical,keyCertSign,cRLSign"),
        ]
        extensions.append((NID_subject_key_identifier, "hash"))
        certificate = try Self.make(
            commonName: commonName, issuer: nil, subjectKey: key, signedBy: key, validity: validity,
            extensions: extensions)
    }

    /// Issues a certificate with a key of its own.
    ///
    /// - Parameter names: DNS names and IP addresses; also the common name of the first. Not from outside: they go into
    ///   OpenSSL's extension syntax, so a comma is refused.
    func issue(
        names: [String], use: Use = .server, validity: Validity = Validity(), algorithm: SignatureAlgorithm = .es256
    ) throws(CryptoFailure) -> Identity {
        guard let first = names.first,
            names.allSatisfy({ $0.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") } })
        else { throw CryptoFailure("a certificate needs at least one name, and names without commas and blanks") }
        let subject = try SigningKey.generate(algorithm)
        let alternatives = names.map { ($0.isAddressLike ? "IP:" : "DNS:") + $0 }.joined(separator: ",")
        let leaf = try Self.make(
            commonName: first, issuer: certificate, subjectKey: subject, signedBy: key, validity: validity,
            extensions: [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature,keyEncipherment"),
                (NID_ext_key_usage, use.rawValue),
                (NID_subject_alt_name, alternatives),
            ])
        return Identity(certificate: leaf, key: subject)
    }

    private static func make(
        commonName: String, issuer: X509Certificate?, subjectKey: SigningKey, signedBy signer: SigningKey,
        validity: Validity, extensions: [(Int32, String)]
    ) throws(CryptoFailure) -> X509Certificate {
        OpenSSLErrors.clear()
        guard let handle = unsafe X509_new() else { throw CryptoFailure(openSSL: "no certificate made") }
        let certificate = unsafe X509Certificate(owning: handle)
        // RFC 5280 §4.1.2.2: positive, at most 20 bytes.
        var serial = RandomBytes.make(16)
        serial[0] = serial[0] & 0x7F | 0x40
        let number = unsafe BN_bin2bn(serial, 16, nil)
        defer { unsafe BN_free(number) }
        let name = unsafe X509_get_subject_name(handle)
        let isComplete =
            unsafe X509_set_version(handle, Int(X509_VERSION_3)) == 1
            && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(handle)) != nil
            && X509_gmtime_adj(X509_getm_notBefore(handle), validity.begins) != nil
            && X509_gmtime_adj(X509_getm_notAfter(handle), validity.ends) != nil
            && X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, commonName, -1, -1, 0) == 1
            && X509_set_issuer_name(handle, issuer.map { unsafe X509_get_subject_name($0.handle) } ?? name) == 1
            && X509_set_pubkey(handle, subjectKey.handle) == 1
        guard isComplete else { throw CryptoFailure(openSSL: "no certificate made") }
        for (kind, value) in extensions {
            var context = unsafe X509V3_CTX()
            unsafe X509V3_set_ctx(&context, issuer?.handle ?? handle, handle, nil, nil, 0)
            guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, kind, value) else {
                throw CryptoFailure(openSSL: "certificate extension \"\(value)\"")
            }
            unsafe _ = X509_add_ext(handle, made, -1)
            unsafe X509_EXTENSION_free(made)
        }
        guard unsafe X509_sign(handle, signer.handle, EVP_sha256()) > 0 else {
            throw CryptoFailure(openSSL: "certificate not signed")
        }
        return certificate
    }
}

extension String {
    /// Enough to tell an IP address from a DNS name among names we chose ourselves.
    fileprivate var isAddressLike: Bool {
        contains(":") || utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    }
}
