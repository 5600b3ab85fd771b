// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One connection to an upstream. Confined to its loop; owned by one exchange, or idle by its pool.
struct ClientConnection: ~Copyable {
    let channel: Channel
    let loop: EventLoop
    /// The only pool that takes it back.
    let madeBy: UpstreamPool?
    var input = ByteBuffer()
    /// To be written.
    var output = ByteBuffer()
    /// The same, behind it: content that was spliced.
    var piped: OwnedBox<SplicePipe>?
    /// There is a credential in `output`, so that it is overwritten as it goes; until all has gone once.
    var carriesSecret = false
    /// The head of the response in hand; its ranges hold until `input` is consumed.
    var head = ResponseHead()
    /// It has served an exchange before: it may have died meanwhile without our hearing of it.
    var isReused = false
    /// A byte of the response in hand has arrived.
    var hasAnswered = false

    init(_ channel: Channel, on loop: EventLoop, madeBy pool: UpstreamPool? = nil) {
        self.channel = channel
        self.loop = loop
        madeBy = pool
    }

    /// Taken for another exchange, by the task that parks on `parker`.
    mutating func beginAgain(for parker: Parker) {
        channel.parker = parker
        isReused = true
        hasAnswered = false
    }

    /// Between two exchanges: nobody waits for it, and it holds no memory.
    ///
    /// - Returns: false if bytes are left over, wherever they wait.
    mutating func rest() -> Bool {
        guard output.isEmpty, piped == nil, !channel.hasPosted, isSilent else { return false }
        // An answer that came whole leaves its block behind.
        loop.buffers.reclaim(&input)
        channel.parker = nil
        return true
    }

    /// Whether nothing has come that nobody asked for, and would be read as the next caller's answer. Looks into the kernel's
    /// buffer and TLS's, too, unless it found them empty in this turn.
    var isSilent: Bool {
        mutating get {
            guard input.isEmpty, channel.isOpen, case .blocked? = try? channel.read(into: &input) else { return false }
            return input.isEmpty && !channel.isHungUp
        }
    }

    /// Writes what there is.
    ///
    /// - Returns: true when all has gone.
    mutating func write() throws(IOFailure) -> Bool {
        guard try channel.write(from: &output, wiping: carriesSecret) == .done else { return false }
        carriesSecret = false
        return true
    }

    /// The same, at the end of the loop's turn if it is little.
    mutating func post() throws(IOFailure) -> Bool {
        guard try channel.post(&output, wiping: carriesSecret) == .done else { return false }
        carriesSecret = false
        return true
    }

    /// Looks for the next head in what has arrived.
    ///
    /// - Returns: its length in `input`, or nil while it is incomplete.
    mutating func parseHead(limits: HTTPLimits) throws(HTTPError) -> Int? {
        guard !input.isEmpty else { return nil }
        return try HeadParser.parseResponse(input, into: &head, limits: limits)
    }

    mutating func close() {
        channel.close()
        releaseBuffers()
    }

    mutating func abort() {
        channel.abort()
        releaseBuffers()
    }

    private mutating func releaseBuffers() {
        input.clear()
        output.consumeWiping(output.count)
        loop.buffers.reclaim(&input)
        loop.buffers.reclaim(&output)
        piped = nil
    }
}
