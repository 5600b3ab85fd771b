// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The caller's end of the agent: reads its requests, one after the other, and holds what is to be written back.
///
/// Confined to its loop. One task owns it, and waits with its parker for whatever it waits for. Being one task's own value,
/// it costs no check at run time that nobody else uses it meanwhile.
struct ServerConnection: ~Copyable {
    let channel: Channel
    let parker: Parker
    let loop: EventLoop
    /// The caller came over a Unix socket.
    let isUnix: Bool
    /// Received and not yet used: the head in hand, content, and requests that were sent ahead (pipelining).
    var input = ByteBuffer()
    /// To be written.
    var output = ByteBuffer()
    /// The same, behind it: content that was spliced.
    var piped: OwnedBox<SplicePipe>?
    /// The head in hand; its ranges hold until `input` is consumed.
    private(set) var head = RequestHead()
    private let shutdown: Shutdown
    private var hasServed = false

    /// What a server's connections look at to learn that it is shutting down; whoever sets it unparks them.
    final class Shutdown {
        /// Have each close when the request in hand is done.
        var isDraining = false
    }

    /// Nanoseconds that a caller who has connected and not yet asked is waited for while draining.
    static let firstRequestGrace: Int64 = 2_000_000_000

    /// Why there is no further request.
    enum End: Error {
        /// In order: between two requests.
        case closed
        /// The peer left in the middle of a head.
        case truncated
        /// Nothing came for the time that an idle connection is kept.
        case idle
        /// A head was begun and not finished in time: answer 408.
        case headTimeout
        case refused(HTTPError)
        case failed(IOFailure)
    }

    init(
        adopting descriptor: consuming Descriptor, isUnix: Bool = false, on loop: EventLoop, shutdown: Shutdown
    ) throws(SystemError) {
        self.loop = loop
        self.isUnix = isUnix
        self.shutdown = shutdown
        parker = Parker(on: loop)
        channel = try Channel(adopting: descriptor, on: loop, parker: parker)
    }

    /// The peer will send no more and waits for nothing: a caller that leaves closes both directions at once.
    ///
    /// A caller that only ends its own direction and still reads (`nc -N`) looks the same to the kernel, and counts as
    /// gone, as it does for nginx.
    var hasLeft: Bool { channel.hasLeft }

    /// Waits for the head of the next request and parses it into `head`.
    ///
    /// - Parameters:
    ///   - idleTimeout: nanoseconds that an idle connection is kept.
    ///   - headTimeout: nanoseconds from the first byte of a head to its last.
    /// - Returns: its length: so many bytes of `input` are the head.
    mutating func nextRequest(limits: HTTPLimits, idleTimeout: Int64, headTimeout: Int64) async throws(End) -> Int {
        var deadline = loop.now + (input.isEmpty ? idleTimeout : headTimeout)
        var begun = !input.isEmpty
        var isLeaving = false
        while true {
            if !input.isEmpty {
                do {
                    if let count = try HeadParser.parseRequest(input, into: &head, limits: limits) {
                        hasServed = true
                        return count
                    }
                } catch { throw .refused(error) }
                if !begun {
                    begun = true
                    deadline = loop.now + headTimeout
                }
            }
            let outcome: Channel.ReadOutcome
            do { outcome = try channel.read(into: &input) } catch { throw .failed(error) }
            switch outcome {
            case .bytes: continue
            case .ended: throw input.isEmpty ? .closed : .truncated
            case .blocked:
                if shutdown.isDraining, input.isEmpty, !isLeaving, (try? channel.flush()) != false {
                    // Only now: what the kernel already holds is a request to be answered. Between two requests a
                    // caller has to expect the end; one that has just come has not been answered anything yet.
                    if hasServed { throw .closed }
                    isLeaving = true
                    deadline = min(deadline, loop.now + Self.firstRequestGrace)
                }
                if await parker.park(until: deadline) == .timedOut {
                    throw input.isEmpty ? .idle : .headTimeout
                }
            }
        }
    }

    /// Writes `output` out, for as long as the peer takes it within `deadline` (monotonic nanoseconds).
    ///
    /// - Parameter wiping: overwrite what has gone, because a secret is in it.
    /// - Returns: false if the connection is of no more use.
    mutating func flush(by deadline: Int64, wiping: Bool = false) async -> Bool {
        defer { if wiping { output.consumeWiping(output.count) } }
        while true {
            do {
                if try channel.write(from: &output, wiping: wiping) == .done { return true }
            } catch { return false }
            if await parker.park(until: deadline) == .timedOut { return false }
        }
    }

    /// Waits until the peer has taken what was posted, within `deadline`.
    mutating func settle(by deadline: Int64) async {
        while channel.hasPosted {
            guard (try? channel.flush()) == false else { return }
            if await parker.park(until: deadline) == .timedOut { return }
        }
    }

    /// Ends a connection whose peer may still be sending, so that the answer is not lost: closing with unread bytes
    /// would reset the connection, and a reset may overtake the answer (RFC 9112 §9.6). Reads on, and throws away, for
    /// a bounded time and amount.
    mutating func closeLingering(for timeout: Int64 = 2_000_000_000, atMost limit: Int = 1 << 20) async {
        let deadline = loop.now + timeout
        channel.shutdownWriting()
        var discarded = 0
        reading: while discarded < limit {
            input.clear()
            do {
                switch try channel.read(into: &input) {
                case .bytes(let count): discarded += count
                case .ended: break reading
                case .blocked:
                    if shutdown.isDraining { break reading }
                    if await parker.park(until: deadline) == .timedOut { break reading }
                }
            } catch { break reading }
        }
        close()
    }

    mutating func close() {
        channel.close()
        releaseBuffers()
    }

    /// Ends it so that the peer cannot take what it received for a whole answer. What came before the cut goes before it.
    mutating func abort() {
        _ = try? channel.flush()
        channel.abort()
        releaseBuffers()
    }

    private mutating func releaseBuffers() {
        input.clear()
        output.clear()
        loop.buffers.reclaim(&input)
        loop.buffers.reclaim(&output)
        piped = nil
    }
}
