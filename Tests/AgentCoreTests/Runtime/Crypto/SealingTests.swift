// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct SealingTests {
    @Test func `a box of the GCM specification's test case 14 opens`() throws {
        let key = try SealingKey(Secret(bytes: [UInt8](repeating: 0, count: 32)))
        let box =
            [UInt8](repeating: 0, count: 12)
            + bytes(hexadecimal: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
        #expect(key.open(box, context: []) == [UInt8](repeating: 0, count: 16))
    }

    @Test(arguments: [0, 1, 16, 100_000])
    func `what is sealed opens again under the same key and context only`(length: Int) throws {
        let key = try SealingKey(Secret(bytes: RandomBytes.make(32)))
        let other = try SealingKey(Secret(bytes: RandomBytes.make(32)))
        let plain = RandomBytes.make(length)
        let context = Array("cache v1".utf8)
        let foreign = Array("cache v2".utf8)
        let box = try key.seal(plain, context: context)
        #expect(box.count == length + 28)
        #expect(key.open(box, context: context) == plain)
        #expect(key.open(box, context: foreign) == nil)
        #expect(other.open(box, context: context) == nil)
        #expect(try key.seal(plain, context: context) != box)
        #expect(OpenSSLErrors.isEmpty)
    }

    @Test func `a box with any bit changed or any byte missing does not open`() throws {
        let key = try SealingKey(Secret(bytes: RandomBytes.make(32)))
        let none = [UInt8]()
        let box = try key.seal(Array("a token".utf8), context: none)
        for place in box.indices {
            var changed = box
            changed[place] ^= 0x10
            #expect(key.open(changed, context: none) == nil)
            let cut = Array(box[..<place])
            #expect(key.open(cut, context: none) == nil)
        }
    }

    @Test func `a key of another length is refused`() {
        #expect(throws: CryptoFailure("a sealing key is 32 bytes long, not 16")) {
            try SealingKey(Secret(bytes: RandomBytes.make(16)))
        }
    }
}
