// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

@testable import AgentCore

/// Takes any bytes whatever. It must return; a trap, a leak or a bad access is what fuzzing looks for.
typealias Target = @Sendable (Span<UInt8>) -> Void

/// Each has its corpus in Tests/AgentCoreTests/Corpus/NAME.
let targets: [String: Target] = [
    "buffer": fuzzBuffer
]

/// The first byte of each pair says what is done with the buffer, the second how much of it.
private func fuzzBuffer(_ input: Span<UInt8>) {
    var buffer = ByteBuffer()
    for index in input.indices where index % 2 == 1 {
        switch input[index - 1] % 3 {
        case 0: buffer.append(decimal: UInt64(input[index]))
        case 1: buffer.append(hexadecimal: UInt64(input[index]))
        default: buffer.consume(min(buffer.count, Int(input[index])))
        }
    }
    precondition(buffer.readable.count == buffer.count)
}
