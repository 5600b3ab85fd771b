// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// One end of a connection in the hands of a test: sends exact bytes, waits for exact bytes, sees how it ends.
///
/// Every call blocks its thread. What never comes is a failure after `patience`, and nothing is ever waited for by time.
// @unchecked: a test passes it from one thread to another, and uses it on one at a time or one for each direction.
final class Wire: @unchecked Sendable {
    enum End: Equatable {
        /// FIN, or close_notify.
        case orderly
        /// RST.
        case reset
        /// TLS ended without close_notify.
        case truncated
    }

    enum Failure: Error {
        case timedOut(received: String)
        case ended(End, received: String)
        case cannotSend(Int32)
        case malformed(String)
    }

    /// How long a byte may take on a machine that is busy with other things.
    static let patience = 25

    private(set) var descriptor: Int32
    private var session: TLSSession?
    private var received: [UInt8] = []

    init(owning descriptor: Int32) {
        self.descriptor = descriptor
        Self.limit(descriptor)
        var one: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close()
    }

    static func limit(_ descriptor: Int32) {
        var time = timeval(tv_sec: patience, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// A socket that is not connected yet.
    convenience init(family: Int32) throws {
        let raw = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemError("socket") }
        self.init(owning: raw)
    }

    /// Connects to an address.
    convenience init(to address: SocketAddress) throws {
        try self.init(family: address.family)
        try connect(to: address)
    }

    func connect(to address: SocketAddress) throws {
        guard unsafe address.withSockaddr({ unsafe Glibc.connect(descriptor, $0, $1) }) == 0 else {
            throw SystemError("connect", on: address.description)
        }
    }

    /// Shakes hands as a TLS server.
    func startTLS(_ context: TLSContext) throws {
        let session = try TLSSession(server: context, descriptor: descriptor)
        while try session.handshake() != .done {}
        self.session = session
    }

    // MARK: Sending

    func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = try unsafe bytes.withUnsafeBytes { memory in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: memory[sent...])
                if let session {
                    guard case .bytes(let count) = unsafe try session.write(rest) else { return -1 }
                    return count
                }
                return unsafe Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure.cannotSend(errno) }
            sent += count
        }
    }

    /// Sends pieces, TLS records under TLS, that arrive together: tcp(7), TCP_CORK.
    func sendAtOnce(_ pieces: [String]) throws {
        for isCorked: Int32 in [1, 0] {
            var value = isCorked
            unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
            if isCorked == 1 { for piece in pieces { try send(piece) } }
        }
    }

    /// Sends, and ends the connection with the same segment: who receives learns of both at once.
    func sendLast(_ text: String) throws {
        var isCorked: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &isCorked, socklen_t(MemoryLayout<Int32>.size))
        try send(text)
        close()
    }

    /// Sends for as long as the kernel takes bytes without waiting.
    ///
    /// - Returns: how many it took.
    func sendWithoutWaiting(_ bytes: [UInt8]) -> Int {
        let count = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(Int(MSG_NOSIGNAL) | Int(MSG_DONTWAIT)))
        return max(0, count)
    }

    // MARK: Receiving

    /// Exactly so many bytes.
    func receive(_ count: Int) throws -> [UInt8] {
        while received.count < count { try more() }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    func text(_ count: Int) throws -> String {
        String(decoding: try receive(count), as: UTF8.self)
    }

    /// Everything up to and with `mark`.
    func receive(through mark: String) throws -> String {
        let mark = Array(mark.utf8)
        var start = 0
        while true {
            while start + mark.count <= received.count {
                if received[start] == mark[0], received[start..<start + mark.count].elementsEqual(mark) {
                    return String(decoding: try receive(start + mark.count), as: UTF8.self)
                }
                start += 1
            }
            try more()
        }
    }

    /// A head, with its empty line.
    func head() throws -> String {
        try receive(through: "\r\n\r\n")
    }

    /// Everything until the end, and how it ended.
    func rest() throws -> (text: String, end: End) {
        while true {
            do { try more() } catch Failure.ended(let end, _) {
                defer { received = [] }
                return (String(decoding: received, as: UTF8.self), end)
            }
        }
    }

    /// Waits for the end of the connection; bytes before it are thrown away.
    func end() throws -> End {
        try rest().end
    }

    /// Reads whatever comes next, at most `limit`; empty at the end.
    func some(limit: Int = 1 << 18) throws -> [UInt8] {
        if received.isEmpty {
            do { try more(limit: limit) } catch Failure.ended { return [] }
        }
        defer { received = [] }
        return received
    }

    private func more(limit: Int = 65_536) throws {
        var memory = [UInt8](repeating: 0, count: limit)
        let seen = { String(decoding: self.received.prefix(2_000), as: UTF8.self) }
        let count: Int
        if let session {
            let result = try unsafe memory.withUnsafeMutableBytes { unsafe try session.read(into: $0) }
            switch result {
            case .bytes(let some): count = some
            case .closed(clean: true): throw Failure.ended(.orderly, received: seen())
            case .closed(clean: false): throw Failure.ended(.truncated, received: seen())
            case .wantRead, .wantWrite: throw Failure.timedOut(received: seen())
            }
        } else {
            count = unsafe recv(descriptor, &memory, limit, 0)
        }
        if count == 0 { throw Failure.ended(.orderly, received: seen()) }
        if count < 0 {
            if errno == EINTR { return }
            if errno == EAGAIN { throw Failure.timedOut(received: seen()) }
            throw Failure.ended(.reset, received: seen())
        }
        received += memory[..<count]
    }

    // MARK: Ending

    func shutdownWriting() {
        _ = session?.shutdown()
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Ends in order; under TLS only with `close_notify` if asked.
    func close(notifying: Bool = true) {
        guard descriptor >= 0 else { return }
        if notifying { _ = session?.shutdown() }
        session = nil
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// Ends with RST.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close(notifying: false)
    }
}

/// An answer as a client understands it.
struct WireAnswer: Equatable {
    var status = 0
    var head = ""
    var body = ""
    /// Its end was marked: by its length, by the last chunk, or where neither is told, by an orderly close.
    var isWhole = false
    var trailers = ""

    func field(_ name: String) -> String? { fields(name).first }

    func fields(_ name: String) -> [String] {
        head.split(separator: "\r\n").dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name.lowercased() else {
                return nil
            }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }
}

extension Wire {
    /// Reads one answer with its content.
    func answer(toHead: Bool = false) throws -> WireAnswer {
        var answer = WireAnswer()
        answer.head = try head()
        answer.status = answer.head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        if toHead || answer.status < 200 || answer.status == 204 || answer.status == 304 {
            answer.isWhole = true
        } else if let length = answer.field("content-length").flatMap({ Int($0) }) {
            do {
                answer.body = try text(length)
                answer.isWhole = true
            } catch Failure.ended(_, let received) { answer.body = received }
        } else if answer.field("transfer-encoding") == "chunked" {
            do {
                while true {
                    let line = try receive(through: "\r\n")
                    guard let count = Int(line.dropLast(1), radix: 16) else { throw Failure.malformed(line) }
                    if count == 0 { break }
                    answer.body += try text(count)
                    guard try text(2) == "\r\n" else { throw Failure.malformed(answer.body) }
                }
                while true {
                    let line = try receive(through: "\r\n")
                    if line == "\r\n" { break }
                    answer.trailers += line
                }
                answer.isWhole = true
            } catch Failure.ended {}
        } else {
            let (text, end) = try rest()
            answer.body = text
            answer.isWhole = end == .orderly
        }
        return answer
    }

    /// Sends a request and reads its answer.
    func call(_ request: String) throws -> WireAnswer {
        try send(request)
        return try answer(toHead: request.hasPrefix("HEAD "))
    }

    /// A plain GET.
    func get(_ path: String, fields: String = "") throws -> WireAnswer {
        try call("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    }
}
