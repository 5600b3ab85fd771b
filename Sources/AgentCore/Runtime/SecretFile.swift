// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

extension Secret {
    /// Reads a whole file that may hold a secret. Blocks: offload it.
    ///
    /// - Parameter limitBytes: a longer file is `EFBIG`, so that a path to a device or a growing log ends.
    init(contentsOf path: String, limitBytes: Int) throws(SystemError) {
        // O_NONBLOCK: opening a FIFO that nobody writes must not hang.
        let raw = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let descriptor = Descriptor(owning: raw)
        var contents = ByteBuffer(capacity: 4096)
        defer { contents.consumeWiping(contents.count) }
        while true {
            if contents.writableCount == 0 {
                // Grown by hand, so that the outgrown memory is wiped too.
                var grown = ByteBuffer(capacity: contents.capacity * 2)
                grown.append(contents.readable)
                swap(&contents, &grown)
                grown.consumeWiping(grown.count)
            }
            let count = unsafe contents.fill { unsafe read(descriptor.raw, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", on: path)
            }
            if count == 0 { break }
            guard contents.count <= limitBytes else { throw SystemError("read", code: EFBIG, on: path) }
        }
        self.init(copying: contents.readable)
    }

    /// The value of a variable of this process, copied; nil if it is not set.
    init?(environmentVariable name: String) {
        guard let value = unsafe getenv(name) else { return nil }
        let count = unsafe strlen(value)
        self = unsafe Secret(
            copying: Span(_unsafeStart: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: count))
    }
}

extension Secret {
    private static let taken = Mutex<[String: Secret]>([:])

    /// The value of a variable of this process, which is wiped there at the first reading: `/proc/PID/environ` has it no
    /// more, and children cannot inherit it.
    init?(takingEnvironmentVariable name: String) {
        let value = Self.taken.withLock { taken -> Secret? in
            guard let place = unsafe getenv(name) else { return nil }
            let count = unsafe strlen(place)
            if count == 0, let value = taken[name] { return value }
            let value = Secret(environmentVariable: name)
            unsafe explicit_bzero(place, count)
            taken[name] = value
            return value
        }
        guard let value else { return nil }
        self = value
    }
}

extension SystemError {
    /// Whether the thing itself is missing, rather than not to be read.
    var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    /// This user may not.
    var isPermission: Bool { code == EACCES || code == EPERM }
    /// The host has no such address.
    var isAddressMissing: Bool { code == EADDRNOTAVAIL }
}
