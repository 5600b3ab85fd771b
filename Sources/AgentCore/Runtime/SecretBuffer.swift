// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Gathers the pieces of a secret as they arrive. Memory that it outgrows, and its own at the end, is overwritten.
final class SecretBuffer {
    private var bytes = ByteBuffer()

    var count: Int { bytes.count }

    func append(_ piece: Span<UInt8>) {
        if bytes.writableCount < piece.count {
            // By hand, since a buffer that grows by itself leaves what it held behind.
            var grown = ByteBuffer(capacity: max(1024, bytes.capacity * 2, bytes.count + piece.count))
            grown.append(bytes.readable)
            swap(&bytes, &grown)
            grown.wipe()
        }
        bytes.append(piece)
    }

    /// All of it, copied.
    var secret: Secret { Self.copy(of: bytes) }

    private static func copy(of bytes: borrowing ByteBuffer) -> Secret { Secret(copying: bytes.readable) }

    deinit {
        bytes.wipe()
    }
}
