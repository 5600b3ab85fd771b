// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Answers of the agent's own.
extension Exchange {
    /// Answers with an error, in the shape of the route's provider.
    ///
    /// - Parameter headCount: of the head in hand, if it is still in the caller's buffer.
    mutating func answer(_ error: ErrorAnswer, headCount: Int = 0) async -> End {
        // After 400 nothing more of this caller is read: what it sent may mean different things to different readers.
        let keepsAlive = mayKeepCaller(headCount) && error.status != 400
        let json = error.json(for: route?.spec.gateway ?? .generic, request: request.description)
        caller.loop.buffers.lend(to: &caller.output)
        LocalAnswer.begin(error.status, date: state.currentDate(), allow: ErrorAnswer.allow, into: &caller.output)
        HeadWriter.append("gateway-agent-error", error.code.utf8.span, into: &caller.output)
        if let seconds = error.retryAfter {
            HeadWriter.append("Retry-After", decimal: UInt64(max(1, seconds)), into: &caller.output)
        }
        LocalAnswer.finish(
            type: "application/json", content: json.utf8.span, to: facts.method, keepsAlive: keepsAlive,
            client: facts.version, into: &caller.output)
        return await deliver(status: error.status, failure: error.code, keepsAlive: keepsAlive)
    }

    /// Answers with content of the agent's own making.
    mutating func answer(_ status: Int, type: StaticString, content: Span<UInt8>, headCount: Int) async -> End {
        let keepsAlive = writeAnswer(status, type: type, content: content, headCount: headCount)
        return await deliver(status: status, failure: nil, keepsAlive: keepsAlive)
    }

    /// The same for secret content, which is overwritten as it goes; the caller wipes its own copy.
    mutating func answer(
        _ status: Int, type: StaticString, secretContent content: borrowing ByteBuffer, headCount: Int
    ) async -> End {
        let keepsAlive = writeAnswer(status, type: type, content: content.readable, headCount: headCount)
        return await deliver(status: status, failure: nil, keepsAlive: keepsAlive, wiping: true)
    }

    private mutating func writeAnswer(_ status: Int, type: StaticString, content: Span<UInt8>, headCount: Int) -> Bool {
        let keepsAlive = mayKeepCaller(headCount)
        caller.loop.buffers.lend(to: &caller.output)
        LocalAnswer.begin(status, date: state.currentDate(), into: &caller.output)
        HeadWriter.append("Cache-Control", "no-store", into: &caller.output)
        LocalAnswer.finish(
            type: type, content: content, to: facts.method, keepsAlive: keepsAlive, client: facts.version,
            into: &caller.output)
        if facts.method != .head { record.sent = UInt64(content.count) }
        return keepsAlive
    }

    /// Only a request that is wholly here leaves the connection where the next one begins; one whose framing was refused,
    /// or never looked at, leaves nobody knows where.
    private mutating func mayKeepCaller(_ headCount: Int) -> Bool {
        let isWhole = hasConsumedHead ? upload.isComplete : isFramed && facts.framing.isEmpty && headCount > 0
        if !hasConsumedHead, isWhole { consumeHead(headCount) }
        return isWhole && facts.keepsAlive && !state.isDraining
    }

    private mutating func deliver(status: Int, failure: String?, keepsAlive: Bool, wiping: Bool = false) async -> End {
        record.firstByteNanoseconds = state.loop.now - began
        let isDelivered = await caller.flush(
            by: state.loop.now + state.plan.timeouts.requestHead, wiping: wiping)
        finish(status: status, failure: isDelivered ? failure : "client-gone")
        if !isDelivered { return .abort }
        return keepsAlive ? .keepAlive : .linger
    }
}
