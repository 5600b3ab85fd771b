// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A `HostTime` that lies ahead is a deadline on both clocks: whichever reaches it first has reached it.
///
/// So a wall clock that steps back cannot lengthen a life, a suspended host cannot overlook its end, and a wall clock
/// that steps forward ends it at once. All arithmetic saturates: these numbers come out of tokens.
extension HostTime {
    /// A deadline that no clock reaches.
    static let never = HostTime(wall: .max, boot: .max)

    func isReached(at now: HostTime) -> Bool {
        now.wall >= wall || now.boot >= boot
    }

    /// Nanoseconds until the first of the two clocks gets here; negative when it has passed.
    func remaining(at now: HostTime) -> Int64 {
        min(wall.minus(now.wall), boot.minus(now.boot))
    }

    /// The same deadline, `nanoseconds` later on both clocks. A clock that never reaches it still never does.
    func moved(by nanoseconds: Int64) -> HostTime {
        HostTime(
            wall: wall == .max ? .max : wall.plus(nanoseconds),
            boot: boot == .max ? .max : boot.plus(nanoseconds))
    }
}

extension Int64 {
    /// Addition that stops at the ends of the range.
    func plus(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// Subtraction that stops at the ends of the range.
    func minus(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : difference
    }

    /// The share `fraction` (0 to 1) of a length of time.
    func scaled(by fraction: Double) -> Int64 {
        Int64(exactly: (Double(self) * fraction).rounded()) ?? self
    }
}
