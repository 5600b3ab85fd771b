// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Who connected, as the kernel saw it at connect(2): the peer may have handed its end to somebody else since.
struct PeerCredentials: Sendable, Hashable {
    let uid: uid_t
    /// Known on a Unix socket only.
    let gid: gid_t?
    /// Known on a Unix socket only, and not of a peer whose PID namespace is beside or above the agent's; for logs, since
    /// numbers of processes are used again.
    let pid: pid_t?

    /// The peer of an accepted Unix socket: SO_PEERCRED of unix(7). Right also behind socket activation, where systemd
    /// has made the listener: the credentials are those of the connecting side.
    static func ofUnixPeer(_ descriptor: Int32) throws(SystemError) -> PeerCredentials {
        var credentials = clinux_ucred()
        var length = socklen_t(MemoryLayout<clinux_ucred>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else {
            throw SystemError("getsockopt", on: "SO_PEERCRED")
        }
        guard length == socklen_t(MemoryLayout<clinux_ucred>.size), let peer = PeerCredentials(credentials) else {
            throw SystemError("getsockopt", code: ENOTCONN, on: "SO_PEERCRED")
        }
        return peer
    }

    /// nil: the kernel's answer for a socket that is no connected Unix socket, no user at all. No process alone says
    /// nothing of that: a caller in another container has none here, and a user.
    init?(_ credentials: clinux_ucred) {
        guard credentials.uid != .max else { return nil }
        self.init(uid: credentials.uid, gid: credentials.gid, pid: credentials.pid == 0 ? nil : credentials.pid)
    }

    init(uid: uid_t, gid: gid_t?, pid: pid_t?) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
    }
}
