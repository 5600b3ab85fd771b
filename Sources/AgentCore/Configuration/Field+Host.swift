// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension Field<AllowSpec.Name> {
    /// A user or a group: its name, or its number.
    static let account = Field { node, report in
        switch node.content {
        case .scalar(.integer(let integer)):
            // The highest number, -1 to the kernel, means "nobody in particular".
            if let id = UInt32(exactly: integer), id != .max { return .id(id) }
        case .scalar(.string(let text)):
            let isName =
                !text.isEmpty && text.utf8.count <= 256
                && !text.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == 0x3A }
            if isName, !text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return .name(text) }
            if let id = UInt32(text), id != .max { return .id(id) }
        default: break
        }
        report.add(node, node.shown, hint: "write a name such as \"ci\", or a number such as 1000")
        return nil
    }
}

extension Field<UInt16> {
    /// The mode of a socket, in octal digits as chmod(1) has it.
    static let mode = text("write the mode in octal digits and quotes, such as \"0660\"") { text throws(Misfit) in
        guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x37).contains($0) }),
            let mode = UInt16(text, radix: 8), mode <= 0o777
        else {
            throw Misfit()
        }
        return mode
    }
}

extension Field<String> {
    static let socketPath = absolutePath(such: "/run/gateway-agent/agent.sock").checked { path in
        let limit = SocketAddress.unixPathLimit
        guard path.utf8.count > limit else { return nil }
        return Misfit(
            message: "is \(path.utf8.count) bytes long",
            hint: "write a path of at most \(limit) bytes, the limit of the kernel for sockets")
    }
}

extension Field<ListenAddress> {
    static let listenAddress = text("write an address and a port, such as \"127.0.0.1:4748\" or \"[::1]:4748\"") {
        text throws(Misfit) in
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { throw Misfit() }
        var host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else {
            throw Misfit(hint: "end it with a port from 0 to 65535, such as \":4748\"")
        }
        if host == "localhost" {
            throw Misfit(hint: "write \"127.0.0.1:\(port)\" or \"[::1]:\(port)\": a name may mean either")
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.utf8.count > 2
        if isBracketed { host = String(host.dropFirst().dropLast()) }
        guard let address = SocketAddress(ip: host, port: port), isBracketed == (address.ipBytes.count == 16) else {
            throw Misfit()
        }
        return ListenAddress(ip: host.lowercased(), port: port)
    }

    /// Reachable from this host alone.
    static let loopbackAddress = listenAddress.checked { address in
        if SocketAddress(ip: address.ip, port: address.port)?.isLoopback == true { return nil }
        return Misfit(
            hint: "write \"127.0.0.1:\(address.port)\"; other hosts could call an address listed in unsafeListen")
    }
}
