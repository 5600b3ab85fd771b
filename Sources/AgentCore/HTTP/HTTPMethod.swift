// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The request methods that the agent treats by name (RFC 9110 §9).
enum HTTPMethod: UInt8, Sendable {
    case get, head, post, put, delete, connect, options, trace, patch
    /// Any other token; passed on as it was written.
    case other

    /// Method names are case-sensitive (RFC 9110 §9.1): `get` is `other`.
    init(_ bytes: Span<UInt8>) {
        self = .other
        guard bytes.count >= 3, bytes.count <= 7 else { return }
        var word: UInt64 = 0
        for index in 0..<bytes.count { word |= UInt64(bytes[index]) &<< UInt64(index * 8) }
        switch word {
        case 0x54_4547: self = .get
        case 0x4441_4548: self = .head
        case 0x5453_4F50: self = .post
        case 0x54_5550: self = .put
        case 0x4554_454C_4544: self = .delete
        case 0x54_4345_4E4E_4F43: self = .connect
        case 0x53_4E4F_4954_504F: self = .options
        case 0x45_4341_5254: self = .trace
        case 0x48_4354_4150: self = .patch
        default: break
        }
    }

    /// Whether a request may be sent again without the caller's leave, when the connection died before any answer
    /// (RFC 9110 §9.2.2).
    var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .connect, .patch, .other: false
        }
    }
}

/// The versions that are spoken; every other one is refused with 505.
enum HTTPVersion: UInt8, Sendable, Comparable {
    case http10, http11

    static func < (left: HTTPVersion, right: HTTPVersion) -> Bool { left.rawValue < right.rawValue }
}
