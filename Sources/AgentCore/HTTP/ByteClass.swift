// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A set of ASCII bytes, tested without a memory access: one bit a byte.
struct ByteClass: Sendable {
    private let low: UInt64
    private let high: UInt64

    @inline(__always)
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Builds the set from its members; for tests, which compare it with the literals below.
    init(_ members: String) {
        var words: (UInt64, UInt64) = (0, 0)
        for byte in members.utf8 where byte < 128 {
            if byte < 64 { words.0 |= 1 << UInt64(byte) } else { words.1 |= 1 << UInt64(byte - 64) }
        }
        self.init(low: words.0, high: words.1)
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let bits = byte & 64 == 0 ? low : high
        return byte < 128 && (bits &>> UInt64(byte & 63)) & 1 == 1
    }
}

extension ByteClass: Equatable {
    /// `tchar`: letters, digits and ``!#$%&'*+-.^_`|~`` (RFC 9110 §5.6.2).
    @inline(__always) static var token: ByteClass { ByteClass(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

    /// What a path may hold: `pchar` and `/`; the percent sign begins a triplet (RFC 3986 §3.3).
    @inline(__always) static var path: ByteClass { ByteClass(low: 0x2FFF_FFF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF) }

    /// What a query may hold: visible ASCII but `"`, `#`, `<` and `>`.
    ///
    /// Wider than RFC 3986 §3.4 by ``[]\^`{|}``, since every client that follows the URL Standard sends these bare. The
    /// agent passes a query on byte for byte and never looks inside.
    @inline(__always) static var query: ByteClass { ByteClass(low: 0xAFFF_FFF2_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF) }

    /// What a host name or IPv4 address may hold; narrower than `reg-name` (RFC 3986 §3.2.2), which nobody needs whole.
    @inline(__always) static var hostName: ByteClass {
        ByteClass(low: 0x03FF_6000_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    /// What stands between the brackets of an IPv6 address; zone identifiers are refused (RFC 3986 §3.2.2).
    @inline(__always) static var addressLiteral: ByteClass {
        ByteClass(low: 0x07FF_4000_0000_0000, high: 0x0000_007E_0000_007E)
    }
}

extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20

    @inline(__always) var isSpaceOrTab: Bool { self == .space || self == .tab }
    @inline(__always) var isDigit: Bool { self &- 0x30 < 10 }

    /// Allowed in a field value and a reason phrase: tab, space, visible ASCII and `obs-text` (RFC 9110 §5.5).
    @inline(__always) var isFieldContent: Bool { self >= 0x20 && self != 0x7F || self == .tab }

    /// The value of a hexadecimal digit.
    @inline(__always) var hexadecimalValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }
}
