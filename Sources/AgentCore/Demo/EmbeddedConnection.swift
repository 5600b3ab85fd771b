// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A caller's connection that an embedded server and the call in hand both refer to. Confined to its loop.
final class EmbeddedConnection {
    var wire: ServerConnection
    let channel: Channel
    let parker: Parker
    let loop: EventLoop

    init(adopting descriptor: consuming Descriptor, on loop: EventLoop) throws(SystemError) {
        wire = try ServerConnection(adopting: descriptor, on: loop, shutdown: ServerConnection.Shutdown())
        channel = wire.channel
        parker = wire.parker
        self.loop = loop
    }
}
