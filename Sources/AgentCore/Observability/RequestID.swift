// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Names one request in the log, in error answers and to the upstream.
struct RequestID: Sendable, Hashable, CustomStringConvertible {
    let value: UInt64

    /// 16 hexadecimal digits.
    var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The requests of one loop. Two loops of one process never give the same name: the mixing is one to one, and what
    /// goes in differs. Not secret, and not meant to be hard to guess.
    struct Sequence: Sendable {
        private var next: UInt64
        private let seed: UInt64

        /// - Parameters:
        ///   - seed: drawn once a process.
        ///   - loop: the loop's number, below 65536.
        init(seed: UInt64, loop: Int) {
            self.seed = seed
            next = UInt64(truncatingIfNeeded: loop) << 48
        }

        mutating func draw() -> RequestID {
            next &+= 1
            // The finalizer of SplitMix64: a bijection of 64 bits.
            var mixed = next ^ seed
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return RequestID(value: mixed ^ (mixed >> 31))
        }
    }
}

extension ByteBuffer {
    /// Appends the 16 digits of a request's name.
    mutating func append(_ request: RequestID) {
        append(hexadecimalWord: request.value)
    }
}
