// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct JSONOutlineTests {
    @Test func `every key and value has its place`() throws {
        let text = "\u{FEFF}{ a: [1,\n  'é', {b: null}],\n\t\"c\": .5 } // end"
        let bytes = Array(text.utf8)
        let (outline, duplicates) = try JSONOutline.read(bytes)
        let places = TextPlaces(bytes)
        func place(_ offset: Int?) -> String? { offset.map { places[$0].description } }
        #expect(duplicates.isEmpty)
        #expect(place(outline.offset) == "1:1")
        let list = outline.members["a"]
        #expect(place(list?.keyOffset) == "1:3" && place(list?.value.offset) == "1:6")
        #expect(list?.value.elements.map { places[$0.offset].description } == ["1:7", "2:3", "2:8"])
        #expect(place(list?.value.elements.last?.members["b"]?.value.offset) == "2:12")
        #expect(place(outline.members["c"]?.keyOffset) == "3:2" && place(outline.members["c"]?.value.offset) == "3:7")
        #expect(places[bytes.count].line == 3 && places[-1].line == 1 && places[.max].line == 3)
    }

    @Test func `a repeated key is found however it is written`() throws {
        let (_, duplicates) = try JSONOutline.read(Array("{a: {'b': 1, \"\\u0062\": 2}, \"a\": 3}".utf8))
        #expect(
            duplicates == [
                JSONOutline.Duplicate(path: ["a", "b"], first: 5, second: 13),
                JSONOutline.Duplicate(path: ["a"], first: 1, second: 27),
            ])
    }

    static let texts = [
        "{a: 1, 'b': [true, false, null,], \"c\": {d: -0x1F, e: +.5, f: 5., g: 1E+3}, /* x */ $_1: '\\u00e9\\ud83d\\ude00\\n' // y\n}",
        "[[], {}, '', \"\", 0, -0, \"'\", '\"', '\\'', \"\\/\\b\\f\\r\\t\"]",
        "  'text'  ", "\u{FEFF}{}", "{null: 1, true: 2}", "{\"\": 1, '/': 2, 'é😀': 3}", "[9223372036854775807, 1e30]",
    ]

    @Test(arguments: texts)
    func `what passes here, Foundation reads as the same document`(text: String) throws {
        let bytes = Array(text.utf8)
        let (outline, _) = try JSONOutline.read(bytes)
        #expect(Self.agree(outline, try JSONValue.decode(bytes.span, json5: true)))
    }

    @Test func `mutilated texts end neither reader, and the two agree on what is left`() {
        var generator = SplitMix(state: 1)
        let letters = Array("{}[]:,'\"\\/*# \n\t0x1.eE+-azunfl$_é\u{0}\u{FEFF}".utf8)
        var accepted = 0
        for _ in 0..<20_000 {
            guard let text = Self.texts.randomElement(using: &generator) else { return }
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = letters.randomElement(using: &generator) ?? 0
                case 2: bytes.insert(letters.randomElement(using: &generator) ?? 0, at: index)
                default: bytes.removeLast(bytes.count - index)
                }
            }
            // Of two equal keys Foundation may keep either: no document to agree on.
            guard let (outline, duplicates) = try? JSONOutline.read(bytes), duplicates.isEmpty else { continue }
            accepted += 1
            // A number beyond all range is Foundation's to refuse.
            guard let value = try? JSONValue.decode(bytes.span, json5: true) else {
                #expect(
                    bytes.contains(0x65) || bytes.contains(0x45) || bytes.contains(0x78),
                    "\(String(decoding: bytes, as: UTF8.self))")
                continue
            }
            #expect(Self.agree(outline, value), "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(accepted > 1000)
    }

    private static func agree(_ outline: JSONOutline, _ value: JSONValue) -> Bool {
        switch value {
        case .object(let members):
            outline.elements.isEmpty && Set(members.keys) == Set(outline.members.keys)
                && members.allSatisfy { key, value in
                    outline.members[key].map { agree($0.value, value) } ?? false
                }
        case .array(let elements):
            outline.members.isEmpty && elements.count == outline.elements.count
                && zip(outline.elements, elements).allSatisfy { agree($0, $1) }
        default: outline.members.isEmpty && outline.elements.isEmpty
        }
    }
}

/// The same numbers in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
