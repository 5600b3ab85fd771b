// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What a decoder made of some bytes.
struct Decoded: Sendable, Equatable {
    var content = ""
    var trailers: [String] = []
    var ended = false
    var rule: HTTPRule?
    /// Bytes behind the end.
    var rest = 0
}

/// Feeds the pieces of `bytes` that `cuts` make, as a connection would: what the decoder has not used up stays.
func decode(_ bytes: [UInt8], cuts: [Int], limits: HTTPLimits = HTTPLimits()) -> Decoded {
    var decoder = ChunkedDecoder(limits: limits)
    var decoded = Decoded()
    var content: [UInt8] = []
    var held: [UInt8] = []
    var start = 0
    defer { decoded.content = String(decoding: content, as: UTF8.self) }
    for cut in cuts + [bytes.count] {
        held += bytes[start..<cut]
        start = cut
        var position = 0
        feeding: while true {
            do throws(HTTPError) {
                switch try decoder.next(held.span, &position) {
                case .data(let range):
                    content += held[range]
                case .needMore:
                    held.removeFirst(position)
                    break feeding
                case .end(let section):
                    let trailers = Array(held[section])
                    decoded.trailers = decoder.trailers.lines.map {
                        trailers.text($0.nameRange) + "=" + trailers.text($0.valueRange)
                    }
                    decoded.ended = true
                    decoded.rest = held.count - position + bytes.count - start
                    decoded.content = String(decoding: content, as: UTF8.self)
                    return decoded
                }
            } catch {
                decoded.rule = error.rule
                decoded.content = String(decoding: content, as: UTF8.self)
                return decoded
            }
        }
    }
    decoded.content = String(decoding: content, as: UTF8.self)
    return decoded
}

/// Whole, split at every byte, and byte by byte.
private func cuts(of count: Int) -> [[Int]] {
    [[]] + (0..<count).map { [$0] } + [Array(0..<count)]
}

@Suite struct ChunkedTests {
    @Test(arguments: [
        ("0\r\n\r\n", "", []),
        ("000\r\n\r\n", "", []),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", []),
        ("5;a=b;c=\"d e\"\r\nhello\r\n00A\r\n, world...\r\n0;last\r\n\r\n", "hello, world...", []),
        ("1\r\na\r\n1\r\nb\r\n0\r\nX: 1\r\nETag: \"2\"\r\n\r\n", "ab", ["X=1", "ETag=\"2\""]),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", []),
    ])
    func `content decodes the same however it arrives`(_ text: String, _ content: String, _ trailers: [String]) {
        let bytes = Array((text + "GET").utf8)
        for cuts in cuts(of: bytes.count) {
            let decoded = decode(bytes, cuts: cuts)
            #expect(
                decoded == Decoded(content: content, trailers: trailers, ended: true, rest: 3), "cut at \(cuts)")
        }
    }

    static let refused: [(String, HTTPRule)] = [
        ("\r\n", HTTPRule.chunkSize), (" 5\r\nhello", .chunkSize), ("5 \r\nhello", .chunkSize),
        ("5 ;a\r\nhello", .chunkSize),
        ("+5\r\nhello", .chunkSize), ("-1\r\n", .chunkSize), ("0x5\r\nhello", .chunkSize), ("g\r\n", .chunkSize),
        (";a\r\n", .chunkSize), ("5,5\r\n", .chunkSize), ("5\u{0}\r\n", .chunkSize), ("5_0\r\n", .chunkSize),
        ("00000000000000005\r\n", .chunkSize), ("8000000000000000\r\n", .chunkSize),
        ("FFFFFFFFFFFFFFFF\r\n", .chunkSize), ("10000000000000000\r\n", .chunkSize),
        ("5\nhello", .bareLineFeed), ("5\rhello", .bareCarriageReturn), ("5;a\nhello", .bareLineFeed),
        ("5;a\rb\r\n", .bareCarriageReturn), ("5;a\u{0}\r\n", .chunkExtension), ("5;\u{7F}\r\n", .chunkExtension),
        ("5\r\nhello\n0\r\n\r\n", .chunkEnd), ("5\r\nhello!\r\n", .chunkEnd), ("5\r\nhello\rX", .bareCarriageReturn),
        ("5\r\nhello0\r\n\r\n", .chunkEnd), ("3\r\nhello\r\n0\r\n\r\n", .chunkEnd),
        ("0\r\nX\r\n\r\n", .missingColon), ("0\r\nX: 1\n\r\n", .bareLineFeed), ("0\r\n X: 1\r\n\r\n", .obsoleteFolding),
        ("0\r\nX: \u{0}\r\n\r\n", .fieldValue), ("0\r\n\n", .bareLineFeed), ("0\r\n\rX", .bareCarriageReturn),
        ("1;" + String(repeating: "x", count: 256) + "\r\n", .chunkExtensionLength),
        (String(repeating: "1;" + String(repeating: "x", count: 250) + "\r\na\r\n", count: 70), .chunkExtensionLength),
        ("0\r\n" + String(repeating: "X: 1\r\n", count: 201), .fieldCount),
        ("0\r\nX: " + String(repeating: "y", count: 8 * 1024), .trailerLength),
    ]

    @Test(arguments: refused)
    func `a malformed chunk is refused the same however it arrives`(_ text: String, _ rule: HTTPRule) {
        let bytes = Array(text.utf8)
        let whole = decode(bytes, cuts: [])
        #expect(whole.rule == rule)
        // The long rows are cut at some places only.
        let places = bytes.count < 600 ? cuts(of: bytes.count) : [[1], [bytes.count / 2], [bytes.count - 1]]
        for cuts in places {
            #expect(decode(bytes, cuts: cuts) == whole, "cut at \(cuts)")
        }
    }

    @Test func `content beyond the limit is refused before any of its chunk is taken`() {
        var limits = HTTPLimits()
        limits.contentBytes = 6
        let decoded = decode(Array("5\r\nhello\r\n2\r\nxx\r\n0\r\n\r\n".utf8), cuts: [], limits: limits)
        #expect(decoded == Decoded(content: "hello", rule: .contentTooLarge))
        limits.contentBytes = 7
        #expect(decode(Array("5\r\nhello\r\n2\r\nxx\r\n0\r\n\r\n".utf8), cuts: [], limits: limits).content == "helloxx")
    }

    @Test func `a cut message never ends`() {
        let bytes = Array("5\r\nhello\r\n0\r\nX: 1\r\n\r\n".utf8)
        for end in 0..<bytes.count {
            #expect(!decode(Array(bytes[..<end]), cuts: []).ended)
        }
    }

    @Test func `a decoder that was used before starts anew`() throws {
        var decoder = ChunkedDecoder(limits: HTTPLimits())
        let bytes = Array("1;x\r\na\r\n0\r\nX: 1\r\n\r\n".utf8)
        for _ in 0..<2 {
            var position = 0
            #expect(try decoder.next(bytes.span, &position) == .data(5..<6))
            #expect(try decoder.next(bytes.span, &position) == .end(trailers: 11..<19))
            #expect(position == bytes.count && decoder.hasEnded && decoder.contentCount == 1)
            #expect(decoder.trailers.count == 1)
            decoder.reset()
            #expect(!decoder.hasEnded && decoder.trailers.isEmpty)
        }
    }

    @Test func `what is encoded decodes to the same`() throws {
        var buffer = ByteBuffer()
        ChunkedEncoder.append(Array("hello".utf8).span, into: &buffer)
        ChunkedEncoder.append([UInt8]().span, into: &buffer)
        ChunkedEncoder.append([UInt8](repeating: 0x78, count: 300).span, into: &buffer)
        ChunkedEncoder.appendLast(into: &buffer)
        #expect(buffer.text.hasPrefix("5\r\nhello\r\n12c\r\nx"))
        let decoded = decode(Array(buffer.text.utf8), cuts: [])
        #expect(decoded == Decoded(content: "hello" + String(repeating: "x", count: 300), ended: true))
    }

    @Test func `trailers go on without those that mean something in a head`() throws {
        let text =
            "X: 1\r\nContent-Length: 5\r\nETag:2\r\nAuthorization: z\r\ntransfer_encoding: chunked\r\nX: 3\r\nMine: 4\r\n"
            + "Host: b\r\nSet-Cookie: c\r\n\r\n"
        let bytes = Array(text.utf8)
        var trailers = FieldSection()
        _ = try trailers.parse(bytes.span, to: bytes.count, limit: 100)
        var buffer = ByteBuffer()
        ChunkedEncoder.appendLast(
            trailers: trailers, in: bytes.span, leavingOut: FieldFilter(names: ["mine"]), into: &buffer)
        #expect(buffer.text == "0\r\nX: 1\r\nETag: 2\r\nX: 3\r\n\r\n")
    }
}
