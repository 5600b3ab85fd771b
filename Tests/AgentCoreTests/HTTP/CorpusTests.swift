// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import FoundationEssentials
import Testing

@testable import AgentCore

/// One file of Corpus/http: `CASE.OUTCOME.req` or `CASE.OUTCOME.resp`.
struct CorpusCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// The code of the rule that refuses it; nil when it is accepted.
    let refusal: String?
    let bytes: [UInt8]
    var testDescription: String { name }

    static func all(_ kind: String) -> [CorpusCase] {
        var folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        folder += ["Corpus", "http"]
        let path = folder.joined(separator: "/")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix("." + kind) }.sorted().map { name in
            let outcome = name.split(separator: ".").dropFirst().first.map(String.init) ?? ""
            let bytes = FileManager.default.contents(atPath: path + "/" + name).map(Array.init) ?? []
            return CorpusCase(name: name, refusal: outcome == "ok" ? nil : outcome, bytes: bytes)
        }
    }
}

@Suite struct CorpusTests {
    @Test func `the corpus is there and names rules that exist`() {
        #expect(CorpusCase.all("req").count > 80)
        #expect(CorpusCase.all("resp").count > 5)
        for entry in CorpusCase.all("req") + CorpusCase.all("resp") {
            #expect(!entry.bytes.isEmpty)
            if let refusal = entry.refusal { #expect(HTTPRule(rawValue: refusal) != nil, "\(entry.name)") }
        }
    }

    @Test(arguments: CorpusCase.all("req"))
    func `a request that readers disagree about is refused, or forwarded without doubt`(_ entry: CorpusCase) {
        for ends in deliveries(of: entry.bytes.count) {
            #expect(Self.refusal(ofRequest: entry.bytes, ends)?.code == entry.refusal, "delivered as \(ends)")
        }
        if entry.refusal == nil { Self.checkForwarded(entry.bytes) }
    }

    /// Walks the way of a request: head, what is served, framing, chunked content.
    private static func refusal(ofRequest bytes: [UInt8], _ ends: [Int]) -> HTTPError? {
        var head = RequestHead()
        do throws(HTTPError) {
            for end in ends {
                let part = bytes.span.extracting(first: end)
                guard let count = try HeadParser.parseRequest(part, into: &head, limits: HTTPLimits()) else { continue }
                try ServedRequests.check(head)
                let framing = try BodyFraming.request(head, in: bytes.span, limits: HTTPLimits())
                if framing == .chunked { try drain(bytes, from: count) }
                return nil
            }
        } catch {
            return error
        }
        Issue.record("an incomplete case")
        return nil
    }

    private static func drain(_ bytes: [UInt8], from start: Int) throws(HTTPError) {
        var decoder = ChunkedDecoder(limits: HTTPLimits())
        var position = start
        while true {
            switch try decoder.next(bytes.span, &position) {
            case .data: continue
            case .needMore, .end: return
            }
        }
    }

    /// What goes on reads back as one request with our host, our framing and our credential alone.
    private static func checkForwarded(_ bytes: [UInt8]) {
        do throws(HTTPError) {
            var head = RequestHead()
            _ = try HeadParser.parseRequest(bytes.span, into: &head, limits: HTTPLimits())
            let framing = try BodyFraming.request(head, in: bytes.span, limits: HTTPLimits())
            var buffer = ByteBuffer()
            try HeadWriter.begin(
                request: head, in: bytes.span, to: HeadWriterTests.upstream, replacing: 1, framing: framing,
                into: &buffer)
            HeadWriter.append(lines: Secret(copying: Array("Authorization: ours\r\n".utf8).span), into: &buffer)
            HeadWriter.end(into: &buffer)
            let forwarded = Array(buffer.text.utf8)
            var again = RequestHead()
            let count = try HeadParser.parseRequest(forwarded.span, into: &again, limits: HTTPLimits())
            #expect(count == forwarded.count)
            let framedAgain = try BodyFraming.request(again, in: forwarded.span, limits: HTTPLimits())
            #expect(framedAgain == framing)
            let fields = again.fields.lines.map {
                forwarded.text($0.nameRange).lowercased().replacing("_", with: "-") + "="
                    + forwarded.text($0.valueRange)
            }
            #expect(fields.filter { $0.hasPrefix("host=") } == ["host=up.example"])
            #expect(fields.filter { $0.hasPrefix("authorization=") } == ["authorization=ours"])
            #expect(fields.filter { $0.hasPrefix("via=") } == ["via=1.1 gateway-agent"])
            let framed = fields.filter { $0.hasPrefix("content-length=") || $0.hasPrefix("transfer-encoding=") }
            #expect(framed.count == (framing == .none ? 0 : 1))
            for name in ["connection=", "upgrade=", "http2-settings=", "x-mine="] {
                #expect(!fields.contains { $0.hasPrefix(name) })
            }
        } catch {
            Issue.record(error)
        }
    }

    @Test(arguments: CorpusCase.all("resp"))
    func `a response that readers disagree about is refused, or forwarded without doubt`(_ entry: CorpusCase) {
        for ends in deliveries(of: entry.bytes.count) {
            #expect(Self.refusal(ofResponse: entry.bytes, ends)?.code == entry.refusal, "delivered as \(ends)")
        }
    }

    private static func refusal(ofResponse bytes: [UInt8], _ ends: [Int]) -> HTTPError? {
        var head = ResponseHead()
        do throws(HTTPError) {
            for end in ends {
                let part = bytes.span.extracting(first: end)
                guard try HeadParser.parseResponse(part, into: &head, limits: HTTPLimits()) != nil else { continue }
                let framing = try BodyFraming.response(head, in: bytes.span, to: .get, askedWebSocket: false)
                // The last case of the list: content where there can be none poisons the connection.
                let keepsAlive = head.keepsAlive(framing, in: bytes.span)
                if head.status == 204 { #expect(!keepsAlive) }
                return nil
            }
        } catch {
            return error
        }
        Issue.record("an incomplete case")
        return nil
    }
}
