// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// A file descriptor with one owner, closed when the owner goes.
struct Descriptor: ~Copyable, Sendable {
    /// The number, for system calls made while the owner lives.
    let raw: Int32

    /// Takes ownership of an open descriptor.
    init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        // Not repeated on EINTR: Linux has released the number by then, see close(2).
        close(raw)
    }

    /// Hands the number to a new owner, who closes it.
    consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}

/// A system call that failed: its name, the error number, and on what it worked.
struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call, as its man page is named: `connect`.
    let call: StaticString
    /// errno(3).
    let code: Int32
    /// What it was called on (a path, an address); never a secret.
    let subject: String?

    init(_ call: StaticString, code: Int32 = errno, on subject: String? = nil) {
        self.call = call
        self.code = code
        self.subject = subject
    }

    static func == (left: SystemError, right: SystemError) -> Bool {
        left.code == right.code && left.call.description == right.call.description && left.subject == right.subject
    }

    /// The sentence of strerror(3): `Connection refused`.
    var reason: String {
        var text = [CChar](repeating: 0, count: 128)
        // The GNU strerror_r returns a pointer that need not be our buffer; glibc exports the portable one to Swift.
        unsafe strerror_r(code, &text, text.count)
        let end = text.firstIndex(of: 0) ?? text.count
        return String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var description: String {
        "\(call)\(subject.map { " \($0)" } ?? ""): \(reason)"
    }
}
