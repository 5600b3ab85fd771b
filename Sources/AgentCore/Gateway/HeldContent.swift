// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What all calls of one loop may keep together of their content: a route's `replayBodyBytes` times as many callers as
/// may connect would be more than the agent has. Confined to its loop.
///
/// Beyond, requests are served as ever and cannot be sent again; answers that have to be collected become 502.
final class HeldContent {
    /// Bytes.
    static let limit = 32 << 20
    private(set) var count = 0

    /// - Returns: false if there is no room for so many bytes more.
    func take(_ bytes: Int) -> Bool {
        guard bytes <= Self.limit - count else { return false }
        count += bytes
        return true
    }

    func giveBack(_ bytes: Int) {
        count -= bytes
    }
}
