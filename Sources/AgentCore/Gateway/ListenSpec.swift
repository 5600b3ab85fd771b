// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Where the agent listens when systemd hands it no sockets.
struct ListenSpec: Sendable, Equatable {
    /// Path of the Unix socket; nil for none.
    var unixPath: String?
    /// Mode of that socket. Who may call is decided by peer credentials; the mode only keeps strangers from knocking.
    var unixMode: UInt16 = 0o666
    /// Loopback addresses, and under a key that says it is unsafe, others. Sorted, none twice.
    var tcp: [ListenAddress] = []
}

/// A numeric IP address and a port to listen on; port 0 lets the kernel choose.
struct ListenAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Without brackets: `127.0.0.1`, `::1`.
    let ip: String
    let port: UInt16

    var description: String {
        ip.utf8.contains(UInt8(ascii: ":")) ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    static func < (left: ListenAddress, right: ListenAddress) -> Bool {
        (left.ip, left.port) < (right.ip, right.port)
    }
}

/// How much the agent takes on at once.
struct LimitSpec: Sendable, Equatable {
    /// Largest request or response head.
    var headBytes = 64 << 10
    /// Largest content of a request, 413 beyond; nil: it streams through, whatever its size.
    var contentBytes: Int?
    /// Callers' connections, all threads together; more wait in the kernel's queue.
    var connections = 4096
    /// Connections to one upstream that each thread keeps open unused.
    var idleUpstreamConnections = 32
}

/// How long the agent waits for what, whatever the route.
struct ServerTimeouts: Sendable, Equatable {
    /// For a request's head, from its first byte.
    var requestHead: Duration = .seconds(30)
    /// Of a caller's connection between two requests.
    var keepAlive: Duration = .seconds(120)
    /// Of a connection to an upstream that nobody uses.
    var upstreamKeepAlive: Duration = .seconds(50)
    /// Of those beyond `LimitSpec.idleUpstreamConnections`, see `UpstreamPool`. No configuration has it, only tests.
    var upstreamSurplus: Duration = .seconds(2)
    /// Of a caller for a token, while its source is asked.
    var credentialWait: Duration = .seconds(15)
    /// For calls under way when the agent is told to stop.
    var drain: Duration = .seconds(30)
}
