// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One value as it lies in the state folder, before it is sealed: its end on both clocks, and the boot in which its
/// boot-clock end means something.
struct KeptValue: Sendable {
    let secret: Secret
    /// When it was written, and when it ends.
    let written: HostTime
    let end: HostTime
    let bootID: String

    /// A wall clock that stands before the moment of writing by more than this was set back, or has not been set since
    /// the host started: it cannot tell whether the value has ended.
    static let clockTolerance = Duration.seconds(60)

    init(_ credential: Credential, at now: HostTime, bootID: String) {
        secret = credential.secret
        written = now
        let remaining = credential.expires.remaining(at: now)
        end = HostTime(wall: now.wall.plus(remaining), boot: now.boot.plus(remaining))
        self.bootID = bootID
    }

    /// - Returns: nil if it is no such value.
    init?(_ plain: Span<UInt8>) {
        var lines: [String] = []
        var start = 0
        for index in plain.indices where plain[index] == UInt8(ascii: "\n") {
            let line = plain.extracting(start..<index)
            lines.append(String(decoding: line.indices.map { line[$0] }, as: UTF8.self))
            start = index + 1
            if lines.count == 5 { break }
        }
        guard lines.count == 5, let writtenWall = Int64(lines[0]), let writtenBoot = Int64(lines[1]),
            let endWall = Int64(lines[2]), let endBoot = Int64(lines[3]), start < plain.count,
            let secret = try? TokenRules.validated(plain.extracting(start..<plain.count))
        else { return nil }
        self.secret = secret
        written = HostTime(wall: writtenWall, boot: writtenBoot)
        end = HostTime(wall: endWall, boot: endBoot)
        bootID = lines[4]
    }

    func encoded() -> Secret {
        var bytes = ByteBuffer(capacity: 512)
        defer { bytes.consumeWiping(bytes.count) }
        bytes.append("\(written.wall)\n\(written.boot)\n\(end.wall)\n\(end.boot)\n\(bootID)\n")
        secret.withExposedBytes { bytes.append($0) }
        return Secret(copying: bytes.readable)
    }

    /// What is left of it, as a source would tell it.
    ///
    /// - Throws: if it has ended, or nobody can tell whether it has.
    func value(at now: HostTime, bootID: String) throws(NotKept) -> SourceValue {
        guard now.wall > written.wall.minus(Self.clockTolerance.nanoseconds) else {
            let behind = ReadableDuration(written.wall.minus(now.wall))
            throw NotKept(
                "the kept value is ignored: it was written \(behind) ahead of this host's clock; see timedatectl")
        }
        var remaining = end.wall.minus(now.wall)
        if bootID == self.bootID, !bootID.isEmpty { remaining = min(remaining, end.boot.minus(now.boot)) }
        guard remaining > 0 else {
            throw NotKept("the kept value is ignored: it ended \(ReadableDuration(Int64(0).minus(remaining))) ago")
        }
        return SourceValue(secret: secret, expiry: .after(remaining), issuerWall: nil)
    }
}
