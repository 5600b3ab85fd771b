// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Suite struct JSONValueTests {
    @Test(arguments: [
        ("null", JSONValue.null), ("true", .bool(true)), ("-7", .integer(-7)), ("1.5", .number(1.5)),
        ("1e3", .integer(1000)),
        ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("\"a\\u00e9\\n\"", .string("aé\n")), ("[]", .array([])), ("{}", .object([:])),
        ("{\"a\":[1,{\"b\":\"c\"}]}", .object(["a": .array([.integer(1), .object(["b": .string("c")])])])),
    ])
    func `every kind of value is read`(text: String, value: JSONValue) throws {
        #expect(try JSONValue.decode(text.utf8.span) == value)
    }

    @Test(arguments: ["", "{", "[1", "nul", "{\"a\" 1}", "{'a':1}", "{a:1}", "// x\n1", "1 2", "[1e999]", "\"\u{1}\""])
    func `what is no JSON is refused without being quoted`(text: String) {
        #expect(throws: JSONError.malformed) { try JSONValue.decode(text.utf8.span) }
    }

    @Test func `bytes that are no UTF-8 are refused`() {
        #expect(throws: JSONError.malformed) { try JSONValue.decode([0x22, 0xFF, 0x22].span) }
    }

    @Test func `JSON5 reads comments, bare keys, single quotes, hexadecimal and trailing commas`() throws {
        let text = "{ /* a */ key: 'it', // b\n list: [0x10, .5,], }"
        let value = JSONValue.object(["key": .string("it"), "list": .array([.integer(16), .number(0.5)])])
        #expect(try JSONValue.decode(text.utf8.span, json5: true) == value)
    }

    @Test func `size and depth are the caller's to bound`() throws {
        let deep = String(repeating: "[", count: 5) + String(repeating: "]", count: 5)
        #expect(throws: Never.self) { try JSONValue.decode(deep.utf8.span, maximumDepth: 5) }
        #expect(throws: JSONError.tooDeep(limit: 4)) { try JSONValue.decode(deep.utf8.span, maximumDepth: 4) }
        #expect(throws: JSONError.tooLarge(limit: 9)) { try JSONValue.decode(deep.utf8.span, maximumBytes: 9) }
        let objects = String(repeating: "{\"a\":", count: 40) + "1" + String(repeating: "}", count: 40)
        #expect(throws: JSONError.tooDeep(limit: 32)) { try JSONValue.decode(objects.utf8.span) }
        let bottomless = String(repeating: "[", count: 100_000)
        #expect(throws: (any Error).self) { try JSONValue.decode(bottomless.utf8.span) }
    }
}

@Suite struct JSONPointerTests {
    static let document = "{\"a\":{\"b\":[10,20]},\"\":1,\"x/y\":2,\"m~n\":3,\"0\":4}"

    @Test(arguments: [
        ("/a/b/0", JSONValue.integer(10)), ("/a/b/1", .integer(20)), ("/", .integer(1)), ("/x~1y", .integer(2)),
        ("/m~0n", .integer(3)), ("/0", .integer(4)), ("/a/b", .array([.integer(10), .integer(20)])),
        ("/a/b/2", nil), ("/a/b/-", nil), ("/a/b/01", nil), ("/a/b/99999999999999999999", nil), ("/a/c", nil),
        ("/a/b/0/x", nil), ("//a", nil),
    ])
    func `a pointer leads to its value or to nothing`(pointer: String, value: JSONValue?) throws {
        let document = try JSONValue.decode(Self.document.utf8.span)
        #expect(try document[JSONPointer(pointer)] == value)
    }

    @Test func `the empty pointer is the document, and a pointer is written as it was read`() throws {
        #expect(try JSONValue.integer(1)[JSONPointer("")] == .integer(1))
        for text in ["", "/", "/a/0", "/x~1y/m~0n", "/~01"] { #expect(try JSONPointer(text).description == text) }
    }

    @Test(arguments: [
        ("token", "\"token\" is no JSON pointer; write \"/token\""),
        ("/a~2", "\"/a~2\" is no JSON pointer; write \"~\" as \"~0\" and \"/\" in a key as \"~1\""),
        ("/a~", "\"/a~\" is no JSON pointer; write \"~\" as \"~0\" and \"/\" in a key as \"~1\""),
    ])
    func `what is no pointer is named, with the repair`(text: String, message: String) {
        let error = #expect(throws: JSONPointerError.self) { try JSONPointer(text) }
        #expect(error?.description == message)
    }
}

@Suite struct JSONTextTests {
    @Test(arguments: ["", "plain", "\"\\/", "\u{0}\u{1F}\n\r\t\u{7F}", "é 😀"])
    func `a string written is the string read`(text: String) throws {
        var buffer = ByteBuffer()
        buffer.append(jsonString: text)
        #expect(try JSONValue.decode(buffer.readable) == .string(text))
        for index in 0..<buffer.count { #expect(buffer[index] >= 0x20 && buffer[index] != 0x7F) }
    }
}
