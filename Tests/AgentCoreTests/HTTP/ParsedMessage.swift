// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// What a parser made of some bytes; equal for two ways of delivering them, or the parser is broken.
enum ParsedMessage<Head: Sendable & Equatable>: Sendable, Equatable {
    case complete(Head, count: Int)
    case incomplete
    case refused(HTTPError)

    var rule: HTTPRule? {
        if case .refused(let error) = self { error.rule } else { nil }
    }
}

/// A head as text, to be compared.
struct RequestText: Sendable, Equatable {
    var method: String
    var target: String
    var path: String
    var query: String
    var version: HTTPVersion
    var fields: [String]
    var host: String

    init(_ head: RequestHead, _ bytes: [UInt8]) {
        method = bytes.text(head.methodRange)
        target = bytes.text(head.targetRange)
        path = bytes.text(head.pathRange)
        query = bytes.text(head.queryRange)
        version = head.version
        fields = head.fields.lines.map { bytes.text($0.nameRange) + "=" + bytes.text($0.valueRange) }
        host = bytes.text(head.hostRange)
    }
}

struct ResponseText: Sendable, Equatable {
    var status: Int
    var reason: String
    var version: HTTPVersion
    var fields: [String]

    init(_ head: ResponseHead, _ bytes: [UInt8]) {
        status = head.status
        reason = bytes.text(head.reasonRange)
        version = head.version
        fields = head.fields.lines.map { bytes.text($0.nameRange) + "=" + bytes.text($0.valueRange) }
    }
}

extension [UInt8] {
    func text(_ range: ByteRange) -> String {
        String(decoding: self[range.lower..<range.upper], as: UTF8.self)
    }
}

/// Gives the parser ever longer beginnings of `bytes`, of the lengths `ends`, until it decides.
func parseRequest(
    _ bytes: [UInt8], ends: [Int], limits: HTTPLimits = HTTPLimits()
) -> ParsedMessage<RequestText> {
    var head = RequestHead()
    for end in ends {
        do throws(HTTPError) {
            let part = Array(bytes[..<end])
            if let count = try HeadParser.parseRequest(part.span, into: &head, limits: limits) {
                return .complete(RequestText(head, bytes), count: count)
            }
        } catch {
            return .refused(error)
        }
    }
    return .incomplete
}

func parseResponse(
    _ bytes: [UInt8], ends: [Int], limits: HTTPLimits = HTTPLimits()
) -> ParsedMessage<ResponseText> {
    var head = ResponseHead()
    for end in ends {
        do throws(HTTPError) {
            let part = Array(bytes[..<end])
            if let count = try HeadParser.parseResponse(part.span, into: &head, limits: limits) {
                return .complete(ResponseText(head, bytes), count: count)
            }
        } catch {
            return .refused(error)
        }
    }
    return .incomplete
}

/// Whole, in two parts split at every byte, and byte by byte: every way to deliver `count` bytes that is tried.
func deliveries(of count: Int) -> [[Int]] {
    [[count]] + (0..<count).map { [$0, count] } + [Array(0...count)]
}

/// A complete request head, for what comes after parsing.
func requestHead(_ text: String, limits: HTTPLimits = HTTPLimits()) throws(HTTPError) -> (RequestHead, [UInt8]) {
    let bytes = Array(text.utf8)
    var head = RequestHead()
    guard try HeadParser.parseRequest(bytes.span, into: &head, limits: limits) != nil else {
        throw HTTPError(.requestLine)
    }
    return (head, bytes)
}

func responseHead(_ text: String) throws(HTTPError) -> (ResponseHead, [UInt8]) {
    let bytes = Array(text.utf8)
    var head = ResponseHead()
    guard try HeadParser.parseResponse(bytes.span, into: &head, limits: HTTPLimits()) != nil else {
        throw HTTPError(.statusLine)
    }
    return (head, bytes)
}

extension ByteBuffer {
    /// The readable bytes as text.
    var text: String {
        var bytes: [UInt8] = []
        let readable = readable
        for index in readable.indices { bytes.append(readable[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
