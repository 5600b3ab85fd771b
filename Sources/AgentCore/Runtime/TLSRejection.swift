// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import COpenSSL

/// Why a peer's certificate was not accepted, noted while OpenSSL looks at it: afterwards the certificate is gone.
struct TLSRejection {
    private let code: Int32
    /// 0 for the peer's own certificate, 1 and more for those that issued it.
    private let depth: Int32
    private let certificate: X509Certificate?

    init(_ store: OpaquePointer) {
        code = unsafe X509_STORE_CTX_get_error(store)
        depth = unsafe X509_STORE_CTX_get_error_depth(store)
        certificate = unsafe X509_STORE_CTX_get_current_cert(store).flatMap { unsafe X509Certificate.sharing($0) }
    }

    func sentence(for peer: String) -> String {
        let subject = depth == 0 ? "certificate of \(peer)" : "issuer certificate \"\(issuer)\" of \(peer)"
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return "\(subject) has expired\(certificate.map { " at \($0.notAfter)" } ?? "")"
                + "; renew it, or look at this host's clock"
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "\(subject) is not valid yet\(certificate.map { ", but from \($0.notBefore) on" } ?? "")"
                + "; look at this host's clock"
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "certificate of \(peer) is for other names (\(names)); use one of them in the URL"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return "certificate of \(peer) comes from an authority that is not trusted here (\(reason))"
                + "; give its certificate as the CA file, or install ca-certificates"
        default:
            return "\(subject) was not accepted: \(reason)"
        }
    }

    private var reason: String {
        unsafe String(cString: X509_verify_cert_error_string(Int(code)))
    }

    private var issuer: String { certificate?.commonName ?? "without a name" }

    private var names: String {
        let names = certificate?.alternativeNames ?? []
        return names.isEmpty ? "it names none" : names.prefix(5).joined(separator: ", ")
    }
}
