// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Durations, counted by how long they were.
struct Histogram: Sendable, Equatable {
    /// Upper bounds of the buckets in nanoseconds: from what a local answer takes to what a long stream takes.
    static let bounds: [Int64] = [
        1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000,
        2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000, 60_000_000_000, 300_000_000_000,
    ]

    /// How many fell into each bucket and not into one before it; the last counts what is longer than every bound.
    private(set) var counts = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
    private(set) var sumNanoseconds: UInt64 = 0

    var count: UInt64 { counts.reduce(0, &+) }

    mutating func record(nanoseconds: Int64) {
        let index = Self.bounds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count
        counts[index] &+= 1
        sumNanoseconds &+= UInt64(max(0, nanoseconds))
    }

    mutating func merge(_ other: Histogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sumNanoseconds &+= other.sumNanoseconds
    }
}
