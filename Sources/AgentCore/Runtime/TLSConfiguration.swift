// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What one kind of outgoing TLS connection is made of; equal values may share one `TLSContext`.
///
/// There is no member that turns verification off, and none will be added: a private authority goes in `authorityFile`.
struct TLSConfiguration: Sendable, Hashable {
    /// PEM file with the authorities to trust, *instead of* the system's trust store. Default: the system's.
    var authorityFile: String?
    /// What to show to a server that asks who calls. Default: nothing.
    var clientCertificate: ClientCertificate?

    struct ClientCertificate: Sendable, Hashable {
        /// PEM file: the certificate, then its intermediates.
        var certificateFile: String
        /// PEM file with the unencrypted private key; may be the same file.
        var keyFile: String
    }

    /// Whether it names files, in which there may be mistakes.
    var hasFiles: Bool { authorityFile != nil || clientCertificate != nil }

    /// What failures call a file, before its path.
    enum Role: String, CaseIterable {
        case authorities = "CA file"
        case certificate = "client certificate"
        case key = "client key"
    }

    /// A failure to make a context of it, told by the key that names the file: `routes["/v/"].tls.ca is "/x.pem": …`.
    func problem(_ failure: TLSFailure, at key: String) -> String {
        let files: [(Role, String, String?)] = [
            (.authorities, "ca", authorityFile), (.certificate, "certificate", clientCertificate?.certificateFile),
            (.key, "key", clientCertificate?.keyFile),
        ]
        let repair = failure.systemCode == nil ? "" : "; see the path, and whether the agent's user may read it"
        for (role, word, path) in files {
            guard let path, failure.description.hasPrefix("\(role.rawValue) \(path)") else { continue }
            let rest = failure.description.dropFirst(role.rawValue.count + 1 + path.count)
            return "\(key).\(word) is \"\(path)\"\(rest.hasPrefix(":") ? "" : ", which")\(rest)\(repair)"
        }
        return "\(key): \(failure)\(repair)"
    }
}

/// The server side, for the embedded demo servers and for tests.
struct TLSServerConfiguration: Sendable {
    /// PEM text: the certificate, then its intermediates.
    var certificateChain: String
    /// PEM text of the private key.
    var key: Secret
    /// PEM text of the authorities that a client's certificate must come from; nil asks for none.
    var clientAuthorities: String?
    var maximumVersion: TLSVersion = .v1_3
}

enum TLSVersion: Sendable {
    case v1_2
    case v1_3
}

/// TLS that could not be set up or kept up, as a sentence for people.
struct TLSFailure: Error, Equatable, CustomStringConvertible {
    enum Kind: Sendable {
        /// A file or value of our own is wrong; trying again is of no use.
        case configuration
        /// The peer's certificate was not accepted.
        case certificate
        /// The peer sent an alert, or bytes that are not TLS as we speak it.
        case negotiation
        /// The connection below broke.
        case connection
    }

    let kind: Kind
    let description: String
    /// errno(3), when a system call failed.
    let systemCode: Int32?

    init(_ kind: Kind, _ description: String, systemCode: Int32? = nil) {
        self.kind = kind
        self.description = description
        self.systemCode = systemCode
    }
}
