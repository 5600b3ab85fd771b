// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// A message as it stands on the wire, walked the whole way; one that begins with `HTTP/` is an answer.
///
/// Where the targets of single parsers ask whether the cuts change anything, this one asks what comes out: a message
/// that is accepted goes on as a head that is accepted again, with the same meaning and framing, without the caller's
/// credential, and with ours exactly once.
func fuzzHTTP(_ input: Span<UInt8>) {
    if input.count >= 5, input.text(ByteRange(0, 5)) == "HTTP/" {
        forwardResponse(input)
    } else {
        forwardRequest(input)
    }
}

/// Room for what is added to a head that reached its limits.
private let wider: HTTPLimits = {
    var limits = HTTPLimits()
    limits.headBytes += 1024
    limits.targetBytes += 1024
    limits.fieldCount += 8
    return limits
}()

private func forwardRequest(_ input: Span<UInt8>) {
    var head = RequestHead()
    var buffer = ByteBuffer()
    let framing: BodyFraming
    let headCount: Int
    do throws(HTTPError) {
        guard let count = try HeadParser.parseRequest(input, into: &head, limits: HTTPLimits()) else { return }
        try ServedRequests.check(head)
        framing = try BodyFraming.request(head, in: input, limits: HTTPLimits())
        let upstream = UpstreamForm(
            authority: "up.example", path: "/base/", filter: FieldFilter(names: ["authorization", "x-mine"]))
        try HeadWriter.begin(
            request: head, in: input, to: upstream, replacing: 0, framing: framing, into: &buffer)
        headCount = count
    } catch {
        return
    }
    let ours: [UInt8] = Array("Authorization: ours\r\n".utf8)
    HeadWriter.append(lines: Secret(copying: ours.span), into: &buffer)
    HeadWriter.end(into: &buffer)

    let forwarded = buffer.readable
    var again = RequestHead()
    let count = try? HeadParser.parseRequest(forwarded, into: &again, limits: wider)
    precondition(count == forwarded.count, "the forwarded head does not end where it was ended")
    precondition((try? BodyFraming.request(again, in: forwarded, limits: wider)) == framing, "another framing")
    precondition(again.method == head.method && again.version == .http11, "another method")
    precondition(forwarded.text(again.hostRange) == "up.example", "another host")
    precondition(forwarded.text(again.pathRange).hasPrefix("/base/"), "outside the upstream's path")
    precondition(forwarded.slice(again.queryRange).equals(input.slice(head.queryRange)), "another query")
    precondition(again.connection == ConnectionOptions(), "a connection option went on")
    var credentials: [String] = []
    for line in again.fields.lines {
        let name = String(forwarded.text(line.nameRange).lowercased().map { $0 == "_" ? "-" : $0 })
        precondition(name != "x-mine" && name != "upgrade", "\(name) went on")
        if name == "transfer-encoding" { precondition(framing == .chunked, "a coding went on") }
        if name == "authorization" { credentials.append(forwarded.text(line.valueRange)) }
    }
    precondition(credentials == ["ours"], "the injected field does not stand alone")
    if framing == .chunked { recode(input.extracting(headCount..<input.count)) }
}

private func forwardResponse(_ input: Span<UInt8>) {
    var head = ResponseHead()
    guard (try? HeadParser.parseResponse(input, into: &head, limits: HTTPLimits())) != nil,
        let received = try? BodyFraming.response(head, in: input, to: .get, askedWebSocket: true)
    else { return }
    for client in [HTTPVersion.http10, .http11] {
        let framing = received.towards(client)
        var buffer = ByteBuffer()
        HeadWriter.begin(
            response: head, in: input, framing: framing, keepsAlive: true, client: client, date: HTTPDate(),
            into: &buffer)
        HeadWriter.end(into: &buffer)
        let forwarded = buffer.readable
        var again = ResponseHead()
        let count = try? HeadParser.parseResponse(forwarded, into: &again, limits: wider)
        precondition(count == forwarded.count, "the forwarded head does not end where it was ended")
        precondition(again.status == head.status, "another status")
        let framed = try? BodyFraming.response(again, in: forwarded, to: .get, askedWebSocket: true)
        precondition(framed == framing, "another framing")
    }
}

/// Content that decodes goes on in other chunks, and decodes to the same; its trailers are accepted again.
private func recode(_ input: Span<UInt8>) {
    guard let (content, section, fields) = decode(input) else { return }
    var buffer = ByteBuffer()
    ChunkedEncoder.append(content.span, into: &buffer)
    ChunkedEncoder.appendLast(trailers: fields, in: section.span, into: &buffer)
    guard let (again, _, kept) = decode(buffer.readable) else { fatalError("what was encoded does not decode") }
    precondition(again == content, "another content")
    for line in kept.lines {
        precondition(
            line.name == .other || FieldNameSet.allowedInTrailers.contains(line.name), "a forbidden trailer went on")
    }
}

private func decode(_ bytes: Span<UInt8>) -> (content: [UInt8], trailers: [UInt8], FieldSection)? {
    var decoder = ChunkedDecoder(limits: HTTPLimits())
    var content: [UInt8] = []
    var position = 0
    do throws(HTTPError) {
        while true {
            switch try decoder.next(bytes, &position) {
            case .data(let range): for index in range { content.append(bytes[index]) }
            case .needMore: return nil
            case .end(let section):
                var trailers: [UInt8] = []
                for index in section { trailers.append(bytes[index]) }
                return (content, trailers, decoder.trailers)
            }
        }
    } catch {
        return nil
    }
}
