// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One request on a connection of its own, for one answer: how a token is asked for.
///
/// Everything is bounded: the whole call by its deadline, whatever it is doing then; head and content by their limits,
/// while they arrive. Redirects are not followed, environment variables that name a proxy are not read, and plain text
/// goes no further than this host or its link. What was sent and received is overwritten afterwards.
///
/// ## Concurrency
/// Runs on the loop as the one task that parks on the parker. When that task is cancelled the call ends, provided that
/// somebody wakes the parker then: `Parker.wakingAtCancellation`.
struct ClientCall: Sendable {
    let target: ClientTarget
    var method = "GET"
    var fields: [Field] = []
    /// nil sends no content; an empty one says that it is empty.
    var content: Secret?
    var answerLimitBytes = 1 << 20

    struct Field: Sendable {
        let name: String
        let value: Secret
    }

    /// Makes the call.
    ///
    /// - Parameters:
    ///   - context: for a target with TLS.
    ///   - deadline: monotonic nanoseconds, by which the last byte has arrived.
    func run(
        on loop: EventLoop, parker: Parker, context: TLSContext?, by deadline: Int64
    ) async throws(ClientCallFailure) -> ClientAnswer {
        try check()
        let channel = try await connect(on: loop, parker, context, by: deadline)
        let exchange = ClientExchange(self, on: channel, of: loop)
        defer { exchange.end() }
        while true {
            if Task.isCancelled { throw .cancelled }
            if loop.now >= deadline { throw .timedOut(exchange.phase) }
            let hasMoved = try exchange.move()
            if let answer = exchange.answer { return answer }
            // A server that never stops sending gets its turns with the others of the loop, and meets the deadline.
            if hasMoved { await Task.yield() } else { _ = await parker.park(until: deadline) }
        }
    }

    private func connect(
        on loop: EventLoop, _ parker: Parker, _ context: TLSContext?, by deadline: Int64
    ) async throws(ClientCallFailure) -> Channel {
        let dialer = Dialer(loop: loop, parker: parker, deadline: deadline) { !Task.isCancelled }
        let channel: Channel
        do throws(DialFailure) {
            if let peer = target.tls {
                guard let context else { throw .tls(target.endpoint, "no TLS context was made") }
                channel = try await dialer.dial(target.endpoint) { descriptor throws(TLSFailure) in
                    try TLSSession(client: context, host: peer.host, port: peer.port, descriptor: descriptor)
                }
            } else {
                channel = try await dialer.dial(target.endpoint)
            }
        } catch {
            switch error {
            case .abandoned: throw .cancelled
            case .timedOut(_, let what): throw .timedOut("waiting for the \(what)")
            default: throw .dial(error)
            }
        }
        // A name is judged by where it leads to, after it has: nothing has been sent yet.
        if target.tls == nil, let peer = Socket.peerAddress(channel.rawDescriptor), !peer.isLoopback, !peer.isLinkLocal
        {
            channel.abort()
            throw .exposed(peer)
        }
        return channel
    }

    // MARK: The request

    /// What a request is framed by is the call's own affair.
    private static let ownFields: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    private func check() throws(ClientCallFailure) {
        guard !method.isEmpty, method.utf8.allSatisfy({ ByteClass.token.contains($0) }) else {
            throw .unsendable("the method has a byte that no method may have; write \"GET\" or \"POST\"")
        }
        for field in fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy({ ByteClass.token.contains($0) }),
                !Self.ownFields.contains(field.name.lowercased())
            else {
                throw .unsendable(
                    "a field of the name \"\(String(printing: field.name, limit: 40))\" cannot be sent; delete it")
            }
            let isSound = field.value.withExposedBytes { bytes in bytes.endOfFieldContent(from: 0) == bytes.count }
            guard isSound else {
                throw .unsendable(
                    "the field \(field.name) would hold a line end or control byte; see where its value comes from")
            }
        }
    }

    /// Writes the request. In one piece of memory from the start: growing would leave copies.
    func write(into buffer: inout ByteBuffer) {
        let texts = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.count + 4 }
        buffer.reserve(
            512 + method.utf8.count + target.target.utf8.count + target.authority.utf8.count + texts
                + (content?.count ?? 0))
        let names = Set(fields.map { $0.name.lowercased() })
        buffer.append(method)
        buffer.append(" ")
        buffer.append(target.target)
        buffer.append(" HTTP/1.1\r\nHost: ")
        buffer.append(target.authority)
        buffer.append("\r\nConnection: close\r\n")
        if !names.contains("user-agent") { HeadWriter.append("User-Agent", HeadWriter.pseudonym, into: &buffer) }
        if !names.contains("accept") { HeadWriter.append("Accept", "*/*", into: &buffer) }
        if !names.contains("accept-encoding") { HeadWriter.append("Accept-Encoding", "identity", into: &buffer) }
        for field in fields {
            buffer.append(field.name)
            buffer.append(": ")
            field.value.withExposedBytes { buffer.append($0) }
            buffer.append("\r\n")
        }
        if let content {
            HeadWriter.append("Content-Length", decimal: UInt64(content.count), into: &buffer)
        } else if method != "GET", method != "HEAD" {
            HeadWriter.append("Content-Length", "0", into: &buffer)
        }
        HeadWriter.end(into: &buffer)
        content?.withExposedBytes { buffer.append($0) }
    }
}
