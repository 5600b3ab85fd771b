// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import CSystemd
import Glibc

/// A listening socket that systemd has made for us: sd_listen_fds(3).
struct PassedSocket: Sendable, Equatable {
    enum Family: Sendable, Equatable {
        case unix
        case tcp

        fileprivate var noun: String { self == .unix ? "Unix socket" : "TCP socket" }

        fileprivate var setting: String {
            self == .unix ? "ListenStream=/run/gateway-agent/agent.sock" : "ListenStream=127.0.0.1:4748"
        }
    }

    /// FileDescriptorName= of the socket unit; the unit's own name when it sets none.
    let name: String
    let family: Family
    /// For logs: `unix:/run/gateway-agent.sock`, `127.0.0.1:4748`.
    let address: String
    /// Non-blocking and closed on exec. It is systemd's as well: never to be shut down or unlinked by us, see
    /// shutdown(2).
    let descriptor: Int32
}

/// A passed socket that is not what the agent serves on, as a sentence for people.
struct ActivationFailure: Error, Equatable, CustomStringConvertible {
    let description: String
}

/// The sockets of socket activation.
enum SystemdActivation {
    /// Takes the passed sockets; empty without socket activation.
    ///
    /// Once, before any thread is started: it takes LISTEN_FDS out of the environment, so that no child mistakes them
    /// for its own.
    ///
    /// - Parameter public: addresses that other hosts can reach and that are wanted all the same.
    static func take(allowing public: [SocketAddress] = []) throws(ActivationFailure) -> [PassedSocket] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = unsafe sd_listen_fds_with_names(1, &names)
        guard count >= 0 else {
            throw ActivationFailure(
                description: "sockets passed by systemd not taken: \(SystemError("sd_listen_fds", code: -count).reason)"
            )
        }
        defer {
            for index in 0..<Int(count) { unsafe free(names?[index]) }
            unsafe free(names)
        }
        var sockets: [PassedSocket] = []
        for index in 0..<count {
            let name = unsafe names?[Int(index)].map { unsafe String(cString: $0) } ?? "unknown"
            sockets.append(
                try examine(SD_LISTEN_FDS_START + index, named: name, allowing: `public`))
        }
        return sockets
    }

    /// What the socket units of the package call their sockets (FileDescriptorName=). Others may be added under any
    /// name and are told by their family.
    private static let families: [String: PassedSocket.Family] = ["unix": .unix, "http": .tcp]

    /// Makes sure that a descriptor is a listening stream socket at an address we serve, of the family that its name
    /// promises.
    static func examine(
        _ descriptor: Int32, named name: String, allowing public: [SocketAddress] = []
    ) throws(ActivationFailure) -> PassedSocket {
        let name = String(printing: name, limit: 80)
        guard sd_is_socket(descriptor, AF_UNSPEC, Int32(SOCK_STREAM.rawValue), 1) > 0 else {
            throw ActivationFailure(
                description: "socket \"\(name)\" passed by systemd is no listening stream socket;"
                    + " its unit needs ListenStream= and Accept=no")
        }
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else {
            throw ActivationFailure(
                description: "socket \"\(name)\" passed by systemd: \(SystemError("fcntl").reason)")
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else {
            throw ActivationFailure(
                description: "socket \"\(name)\" passed by systemd: \(SystemError("getsockname").reason)")
        }
        let address = unsafe SocketAddress(storage: storage, length: length)
        let family: PassedSocket.Family = address.family == AF_UNIX ? .unix : .tcp
        if let promised = families[name], promised != family {
            throw ActivationFailure(
                description: "socket \"\(name)\" passed by systemd is at \(address), which is no \(promised.noun);"
                    + " set \(promised.setting) in its unit, or another FileDescriptorName=")
        }
        switch address.family {
        case AF_UNIX:
            return PassedSocket(name: name, family: .unix, address: address.description, descriptor: descriptor)
        case AF_INET, AF_INET6:
            guard address.isLoopback || `public`.contains(address) else {
                throw ActivationFailure(
                    description:
                        "socket \"\(name)\" passed by systemd listens at \(address), where other hosts reach it;"
                        + " set ListenStream=127.0.0.1:\(address.port ?? 0) in its unit,"
                        + " or list the address in listen.unsafeListen")
            }
            return PassedSocket(name: name, family: .tcp, address: address.description, descriptor: descriptor)
        default:
            throw ActivationFailure(
                description: "socket \"\(name)\" passed by systemd is neither a Unix nor a TCP socket")
        }
    }
}

extension PassedSocket {
    /// Takes the descriptor over, to be closed at the end and never unlinked.
    func listeningSocket() throws(ActivationFailure) -> ListeningSocket {
        guard let address = Socket.localAddress(descriptor) else {
            throw ActivationFailure(description: "socket \"\(name)\" passed by systemd has no address")
        }
        return ListeningSocket(adopting: Descriptor(owning: descriptor), address: address)
    }
}
