// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// How a credential is written into a request: the field's name and, where the field has one, the scheme before it.
///
/// The form belongs to the credential and not to the route: a token goes into `Authorization: Bearer`, the key it falls
/// back to may have to go into `x-api-key`.
struct HeaderForm: Sendable, Equatable {
    /// Lower-case field name.
    let field: String
    /// `Bearer`, `Basic`…; nil where the value stands alone.
    let scheme: String?

    /// - Returns: nil if either is no token of RFC 9110 §5.6.2.
    init?(field: String, scheme: String?) {
        guard Self.isToken(field), scheme.map(Self.isToken) ?? true else { return nil }
        self.field = field.lowercased()
        self.scheme = scheme
    }

    private init(knownField field: String, scheme: String?) {
        self.field = field
        self.scheme = scheme
    }

    /// `Authorization: Bearer …`, RFC 6750 §2.1.
    static let bearer = HeaderForm(knownField: "authorization", scheme: "Bearer")
    /// `x-api-key: …`
    static let apiKey = HeaderForm(knownField: "x-api-key", scheme: nil)

    /// The whole field value, to be rendered once a generation and not once a request.
    func value(for secret: Secret) -> Secret {
        guard let scheme else { return secret }
        var bytes = ByteBuffer(capacity: scheme.utf8.count + 1 + secret.count)
        bytes.append(scheme)
        bytes.append(UInt8(ascii: " "))
        secret.withExposedBytes { bytes.append($0) }
        let rendered = Secret(copying: bytes.readable)
        bytes.consumeWiping(bytes.count)
        return rendered
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
