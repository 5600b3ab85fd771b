// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// A channel, and the far end of its connection as a plain descriptor that never blocks.
struct ChannelPair {
    let channel: Channel
    let end: Int32

    init(on loop: EventLoop, parker: Parker?) throws(SystemError) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemError("socketpair") }
        end = ends[1]
        channel = try Channel(adopting: Descriptor(owning: ends[0]), on: loop, parker: parker)
    }

    init(channel: Channel, end: Int32) {
        self.channel = channel
        self.end = end
    }

    /// Ends the far end with a reset (TCP); nothing is to be asked of it any more.
    func reset() {
        Wire(owning: end).reset()
    }

    func close() {
        channel.close()
        Glibc.close(end)
    }

    func send(_ text: String) {
        unsafe _ = Glibc.send(end, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    /// The peer leaves; the descriptor stays, so that its number does.
    func leave() {
        Glibc.shutdown(end, Int32(SHUT_RDWR))
    }

    /// What has arrived at the far end, at most 64 KiB; nil at the end of the connection.
    var received: String? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe recv(end, &bytes, bytes.count, 0)
        if count == 0 { return nil }
        return count < 0 ? "" : String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The same, waited for. An end may be late: a child process that is just being started holds copies of descriptors.
    func firstReceived() async -> String? {
        while true {
            let seen = received
            if seen != "" { return seen }
            await Task.yield()
        }
    }
}
