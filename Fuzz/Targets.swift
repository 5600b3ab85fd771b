// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// Takes any bytes whatever. It must return; a trap, a leak or a bad access is what fuzzing looks for.
typealias Target = @Sendable (Span<UInt8>) -> Void

/// Each has its corpus in Tests/AgentCoreTests/Corpus/NAME.
let targets: [String: Target] = [
    "chunked": fuzzChunked,
    "configuration": fuzzConfiguration,
    "http": fuzzHTTP,
    "jwt": fuzzToken,
    "request": fuzzRequest,
    "response": fuzzResponse,
]

/// What came of a head: its length, nil while incomplete, or why it was refused.
private enum Outcome: Equatable {
    case complete(Int?)
    case refused(HTTPError)
}

/// However the bytes arrive, a head must come out the same: else two readers of one message would disagree.
private func parseWholeAndByByte(
    _ input: Span<UInt8>, whole: (Span<UInt8>) throws(HTTPError) -> Int?,
    pieces: (Span<UInt8>) throws(HTTPError) -> Int?
) -> Outcome {
    func outcome(of bytes: Span<UInt8>, _ parse: (Span<UInt8>) throws(HTTPError) -> Int?) -> Outcome {
        do throws(HTTPError) { return .complete(try parse(bytes)) } catch { return .refused(error) }
    }
    let atOnce = outcome(of: input, whole)
    var count = 0
    var last = Outcome.complete(nil)
    while count < input.count, last == .complete(nil) {
        count += 1
        last = outcome(of: input.extracting(first: count), pieces)
    }
    precondition(atOnce == last, "\(atOnce) at once, \(last) byte by byte")
    return atOnce
}

private func fuzzRequest(_ input: Span<UInt8>) {
    let limits = HTTPLimits()
    var (whole, pieces) = (RequestHead(), RequestHead())
    let outcome = parseWholeAndByByte(
        input,
        whole: { bytes throws(HTTPError) in try HeadParser.parseRequest(bytes, into: &whole, limits: limits) },
        pieces: { bytes throws(HTTPError) in try HeadParser.parseRequest(bytes, into: &pieces, limits: limits) })
    if case .complete(.some) = outcome { _ = try? BodyFraming.request(whole, in: input, limits: limits) }
}

private func fuzzResponse(_ input: Span<UInt8>) {
    let limits = HTTPLimits()
    var (whole, pieces) = (ResponseHead(), ResponseHead())
    let outcome = parseWholeAndByByte(
        input,
        whole: { bytes throws(HTTPError) in try HeadParser.parseResponse(bytes, into: &whole, limits: limits) },
        pieces: { bytes throws(HTTPError) in try HeadParser.parseResponse(bytes, into: &pieces, limits: limits) })
    if case .complete(.some) = outcome {
        for method in [HTTPMethod.get, .head] {
            _ = try? BodyFraming.response(whole, in: input, to: method, askedWebSocket: false)
        }
    }
}

/// The content of a chunked body, all at once and byte by byte.
private func fuzzChunked(_ input: Span<UInt8>) {
    func decode(step: Int) -> (content: [UInt8], hasEnded: Bool, error: HTTPRule?) {
        var decoder = ChunkedDecoder(limits: HTTPLimits())
        var content: [UInt8] = []
        var (start, end) = (0, min(step, input.count))
        do throws(HTTPError) {
            while true {
                var position = 0
                let bytes = input.extracting(start..<end)
                switch try decoder.next(bytes, &position) {
                case .data(let range): for index in range { content.append(bytes[index]) }
                case .end: return (content, true, nil)
                case .needMore:
                    if end == input.count { return (content, false, nil) }
                    end = min(end + step, input.count)
                }
                start += position
            }
        } catch {
            return (content, false, error.rule)
        }
    }
    precondition(decode(step: max(1, input.count)) == decode(step: 1), "another body byte by byte")
}

private func fuzzToken(_ input: Span<UInt8>) {
    guard let token = JSONWebToken(input) else { return }
    let schedule = RenewalPolicy().schedule(
        issued: token.issued, notBefore: token.notBefore, expires: token.expires, remaining: nil,
        received: HostTime(wall: 1_800_000_000_000_000_000, boot: 1), jitter: 0.5)
    precondition(schedule.floor > 0, "a token is never renewed without pause")
}

/// What is refused is refused with a reason; what is read compares equal to itself read again.
private func fuzzConfiguration(_ input: Span<UInt8>) {
    var bytes: [UInt8] = []
    for index in input.indices { bytes.append(input[index]) }
    func read() -> Configuration? {
        do throws(ConfigurationProblems) {
            return try Configuration.read([ConfigurationText(file: "fuzz.json5", bytes: bytes)])
        } catch {
            precondition(!error.problems.isEmpty, "refused without a reason")
            return nil
        }
    }
    precondition(read() == read(), "the same text, another configuration")
}
