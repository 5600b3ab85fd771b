// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Who may do what.
extension Exchange {
    /// Whether the caller may use the agent's own endpoints, by the plan that is in force when this returns: a reload may
    /// come while its groups are looked up.
    mutating func checkAccess() async throws(ErrorAnswer) {
        var plan: GatewayPlan
        repeat {
            plan = state.plan
            if try needsGroups(for: plan.access) { try await checkGroups(for: plan.access) }
        } while plan !== state.plan
    }

    /// The answer without the user database.
    ///
    /// - Returns: true if the caller's groups decide: see `checkGroups`.
    @inline(never)
    mutating func needsGroups(for policy: AccessPolicy) throws(ErrorAnswer) -> Bool {
        guard let uid else { throw Self.unknownPeer }
        switch policy.decide(uid: uid, memberships: nil) {
        case .permitted: return false
        case .needsGroups: return true
        case .refused: throw refusal(of: uid, by: policy)
        }
    }

    mutating func checkGroups(for policy: AccessPolicy) async throws(ErrorAnswer) {
        guard let uid else { throw Self.unknownPeer }
        guard policy.decide(uid: uid, memberships: try await groups(of: uid, for: policy)) == .permitted else {
            throw refusal(of: uid, by: policy)
        }
    }

    @inline(never)
    private mutating func refusal(of uid: UInt32, by policy: AccessPolicy) -> ErrorAnswer {
        ErrorAnswer(
            403, "peer-not-allowed",
            "uid \(uid) may not use \(subject), for which \"allow\" names \(policy.rule); add the user there or to the group"
        )
    }

    /// Has the caller's groups looked up before anything else is asked.
    ///
    /// - Returns: whether they are known now; if not, `checkAccess` tells why.
    mutating func findGroups() async -> Bool {
        guard let uid else { return false }
        let channel = caller.channel
        do throws(CallerGroups.Failure) {
            _ = try await state.callerGroups.find(uid, waking: caller.parker) { !channel.hasLeft }
            return true
        } catch { return false }
    }

    private mutating func groups(of uid: UInt32, for policy: AccessPolicy) async throws(ErrorAnswer) -> Set<UInt32> {
        let channel = caller.channel
        do throws(CallerGroups.Failure) {
            return try await state.callerGroups.find(uid, waking: caller.parker) { !channel.hasLeft }
        } catch {
            guard case .unknown(let why) = error else {
                throw ErrorAnswer(503, "client-gone", "the caller left")
            }
            throw ErrorAnswer(
                503, "groups-unknown",
                "the groups of uid \(uid) are not known, and \"allow\" names \(policy.rule) for \(subject): \(why); see what `id \(uid)` says, or list the user itself",
                retryAfter: 1)
        }
    }

    private var subject: String { route.map { "the route \($0.spec.prefix)" } ?? "the agent's own endpoints" }
}
