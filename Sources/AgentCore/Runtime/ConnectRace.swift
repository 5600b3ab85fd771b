// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// The attempts of one dial, of which the first that stands wins (`HappyEyeballs`). Never waits: its dialer does.
///
/// Its steps are not inlined: what they have on the stack would be in the frame of the dialer, and the memory of that
/// stays with the connection's task.
struct ConnectRace: ~Copyable {
    private let endpoint: Endpoint
    private var eyeballs: HappyEyeballs
    private var attempts: [(address: SocketAddress, channel: Channel)] = []
    /// Why the attempts that failed did.
    private var reasons: [String] = []
    /// A Unix socket whose queue was full, and when it is tried again: connect(2) does not wait for that as it does with TCP.
    private var full: (address: SocketAddress, retry: Int64)?
    static let fullQueuePause: Int64 = 10_000_000

    enum Turn {
        case won(Channel)
        /// Until an attempt stirs, or until this time (monotonic nanoseconds; nil: there is no other address).
        case wait(until: Int64?)
    }

    @inline(never)
    init(_ addresses: [SocketAddress], _ endpoint: Endpoint) {
        self.endpoint = endpoint
        eyeballs = HappyEyeballs(addresses)
    }

    /// Looks at the attempts, and begins those that are due.
    ///
    /// - Throws: `unreachable`, when every address has been tried in vain.
    @inline(never)
    mutating func turn(on loop: EventLoop, _ parker: Parker) throws(DialFailure) -> Turn {
        while true {
            if let winner = takeWinner() { return .won(winner) }
            if let (address, retry) = full {
                guard loop.now >= retry else { return .wait(until: retry) }
                full = nil
                begin(address, on: loop, parker)
                continue
            }
            switch eyeballs.step(at: loop.now) {
            case .attempt(let address): begin(address, on: loop, parker)
            case .wait(let time): return .wait(until: time)
            case .exhausted: throw .unreachable(endpoint, reasons)
            }
        }
    }

    /// The first that stands; those that failed are ended.
    private mutating func takeWinner() -> Channel? {
        var winner: Channel?
        attempts.removeAll { attempt in
            guard winner == nil, attempt.channel.isWritable else { return false }
            guard let code = Socket.pendingError(attempt.channel.rawDescriptor) else {
                winner = attempt.channel
                return true
            }
            reasons.append("\(attempt.address): \(SystemError("connect", code: code).reason)")
            attempt.channel.abort()
            eyeballs.attemptFailed()
            return true
        }
        return winner
    }

    private mutating func begin(_ address: SocketAddress, on loop: EventLoop, _ parker: Parker) {
        do throws(SystemError) {
            let descriptor = try Socket.stream(family: address.family)
            let isDone = try Socket.connect(descriptor, to: address)
            let channel = try Channel(adopting: descriptor, on: loop, parker: parker, awaitingWrites: true)
            attempts.append((address, channel))
            if isDone { channel.connected() }
        } catch {
            if error.code == EAGAIN, address.family == AF_UNIX {
                full = (address, loop.now + Self.fullQueuePause)
                return
            }
            reasons.append("\(address): \(error.reason)")
            eyeballs.attemptFailed()
        }
    }

    /// Ends the attempts that have not won.
    @inline(never)
    mutating func end() {
        for attempt in attempts { attempt.channel.abort() }
        attempts = []
    }
}
