// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct HTTPNamesTests {
    @Test(arguments: FieldName.allCases.filter { $0 != .other })
    func `a known name is met in any case and only whole`(_ name: FieldName) throws {
        #expect(FieldName.allCases.count <= 64)
        for spelling in [name.text, name.text.uppercased(), name.text.prefix(1).uppercased() + name.text.dropFirst()] {
            #expect(FieldName(CaseFolded(String(spelling))) == name)
        }
        for spelling in [name.text + "x", "x" + name.text, name.text + "-"] {
            let bytes = Array(spelling.utf8)
            #expect(CaseFolded(bytes.span, from: 0, to: bytes.count).map { FieldName($0) } ?? .other == .other)
        }
    }

    @Test(arguments: FieldName.allCases.filter { $0 != .other })
    func `no other byte stands for one of a known name`(_ name: FieldName) {
        let text = Array(name.text.utf8)
        for index in text.indices {
            for byte in UInt8.min...UInt8.max where byte | 0x20 != text[index] && byte != text[index] {
                var bytes = text
                bytes[index] = byte
                // The neighbours of a name (`age`, `range`) have another length; none differs in one byte.
                #expect(CaseFolded(bytes.span, from: 0, to: bytes.count).map { FieldName($0) } ?? .other != name)
            }
        }
    }

    @Test func `a folded name does not depend on what stands behind it`() {
        for behind in 0...10 {
            let bytes = Array("Content-Type".utf8) + [UInt8](repeating: 0xFF, count: behind)
            #expect(CaseFolded(bytes.span, from: 0, to: 12) == CaseFolded("content-type"))
        }
    }

    @Test func `plain names are letters, digits and hyphens at every place`() throws {
        var mistaken: [String] = []
        for count in 1...24 {
            for place in 0..<count {
                for byte in UInt8.min...UInt8.max {
                    var bytes = [UInt8](repeating: 0x7A, count: count)
                    bytes[place] = byte
                    let letter = 0x41...0x5A ~= byte || 0x61...0x7A ~= byte
                    let plain = letter || 0x30...0x39 ~= byte || byte == 0x2D
                    if CaseFolded(bytes.span, from: 0, to: count)?.isPlain != plain {
                        mistaken.append("\(byte) at \(place) of \(count)")
                    }
                }
            }
        }
        #expect(mistaken == [])
    }

    @Test func `byte classes hold what the RFCs list`() {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        #expect(ByteClass.token == ByteClass(letters + "!#$%&'*+-.^_`|~"))
        #expect(ByteClass.path == ByteClass(letters + "-._~!$&'()*+,;=:@/%"))
        #expect(ByteClass.query == ByteClass(letters + "-._~!$&'()*+,;=:@/%?[]{}|\\^`"))
        #expect(ByteClass.hostName == ByteClass(letters + "-._~"))
        #expect(ByteClass.addressLiteral == ByteClass("0123456789abcdefABCDEF:."))
        for byte in UInt8(128)...255 { #expect(!ByteClass.token.contains(byte) && !ByteClass.query.contains(byte)) }
    }

    @Test func `the end of field content is found at every place and length`() {
        for length in 0...40 {
            let clean = (0..<length).map { $0 % 5 == 0 ? UInt8.tab : UInt8(0x20 + $0) }
            for from in 0...length {
                #expect(clean.span.endOfFieldContent(from: from) == length)
                for place in from..<length {
                    for byte: UInt8 in [0, 0x0A, 0x0D, 0x1F, 0x7F] {
                        var bytes = clean
                        bytes[place] = byte
                        bytes[length - 1] = place == length - 1 ? byte : 0x80
                        #expect(bytes.span.endOfFieldContent(from: from) == place)
                        let cut = Array(bytes[..<place])
                        #expect(cut.span.endOfFieldContent(from: from) == place)
                    }
                }
            }
        }
    }

    @Test(arguments: HTTPRule.allCases)
    func `every rule tells status, fault, repair and section`(_ rule: HTTPRule) {
        let error = HTTPError(rule, at: 7, byte: 0)
        #expect([400, 405, 413, 414, 417, 431, 500, 501, 505].contains(error.status))
        #expect("\(error)".contains(" (byte 0x00 at offset 7); "))
        #expect("\(error)".contains(#/ \(RFC [0-9]{4} §[0-9.]+\)$/#))
        #expect(!"\(HTTPStatus.reason(error.status))".isEmpty)
        #expect(
            "\(error)".first?.isLowercase == true || "\(error)".hasPrefix("TRACE") || "\(error)".first == "C"
                || "\(error)".hasPrefix("Transfer"))
    }

    @Test func `an error names the fault, the place and the repair`() {
        #expect(
            "\(HTTPError(.fieldValue, at: 57, byte: 0))"
                == "a field value holds a control byte (byte 0x00 at offset 57); remove it (RFC 9110 §5.5)")
        #expect(
            "\(HTTPError(.headLength, limit: 65536))"
                == "the head is longer than the limit of 65536; send fewer or shorter fields (RFC 6585 §5)")
    }
}
