// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The one line that `systemctl status` shows: what is wrong if something is, else how much is served and when the next
/// renewal is due. Pure.
struct StatusLine: Sendable {
    var summary: Agent.Summary
    /// Why the last reload changed nothing.
    var reloadProblem: String?

    var text: String {
        var parts = [Self.counted(summary.routes, "route")]
        if summary.routes == 0, summary.credentials.isEmpty {
            parts = ["serving nothing yet: add a route to the configuration"]
        }
        if !summary.credentials.isEmpty { parts.append(credentials) }
        // What is wrong comes first: the line may be cut at its end.
        if let problem { parts.insert(problem, at: 0) }
        if let reloadProblem { parts.insert("reload failed, the old configuration stays: \(reloadProblem)", at: 0) }
        if let next { parts.append("next renewal \(next)") }
        return parts.joined(separator: "; ")
    }

    private var credentials: String {
        let usable = summary.credentials.count { $0.isUsable(at: summary.now) }
        let idle = summary.credentials.count { !$0.isUsable(at: summary.now) && $0.failure == nil }
        let text = "\(usable) of \(Self.counted(summary.credentials.count, "credential")) usable"
        return idle == 0 ? text : "\(text), \(idle) not asked for yet"
    }

    /// The first credential that cannot be had, or is refused.
    private var problem: String? {
        let broken = summary.credentials.filter { snapshot in
            snapshot.isRejected(at: summary.now) || (snapshot.failure != nil && !snapshot.isUsable(at: summary.now))
        }
        guard let first = broken.first ?? summary.credentials.first(where: { $0.failure != nil }) else { return nil }
        let more = broken.count > 1 ? " (and \(broken.count - 1) more)" : ""
        if first.isRejected(at: summary.now) { return "\(first.name) is rejected by the upstream\(more)" }
        let what = first.isUsable(at: summary.now) ? "renewal of \(first.name) fails" : "\(first.name) cannot be had"
        return "\(what): \(first.failure?.message ?? "")\(more)"
    }

    /// The time of day of the nearest renewal.
    private var next: String? {
        let remaining = summary.credentials.compactMap(\.nextRenewal).map { $0.remaining(at: summary.now) }
        guard let nearest = remaining.min(), nearest < .max / 2 else { return nil }
        let (wall, isOver) = summary.now.wall.addingReportingOverflow(max(0, nearest))
        if isOver { return nil }
        var text = ByteBuffer(capacity: 32)
        text.append(timestamp: wall, fraction: false)
        return String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
