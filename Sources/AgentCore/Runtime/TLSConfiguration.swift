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
