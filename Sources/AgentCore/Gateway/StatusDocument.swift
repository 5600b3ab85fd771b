// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What `/-/status` tells: every credential, and for every route which link of its chain is in use and why. Made from
/// what the asked loop knows, which is what its next request would go by.
struct StatusDocument {
    private let state: LoopState
    private let now: HostTime

    init(_ state: LoopState) {
        self.state = state
        now = state.now
    }

    func json() -> String {
        var text = ByteBuffer(capacity: 4096)
        text.append("{\"version\":")
        text.append(jsonString: AgentVersion.current)
        text.append(",\"state\":")
        text.append(jsonString: state.isDraining ? "draining" : "serving")
        if let problem = state.reloadProblem {
            text.append(",\"reload_error\":")
            text.append(jsonString: problem)
        }
        text.append(",\"credentials\":[")
        for (number, snapshot) in state.credentials.snapshots.enumerated() {
            if number > 0 { text.append(",") }
            append(snapshot, to: &text)
        }
        text.append("],\"routes\":[")
        for (number, route) in state.plan.routes.enumerated() {
            if number > 0 { text.append(",") }
            append(route, to: &text)
        }
        text.append("]}\n")
        return String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
    }

    private func append(_ snapshot: CredentialSnapshot, to text: inout ByteBuffer) {
        text.append("{\"name\":")
        text.append(jsonString: snapshot.name)
        text.append(",\"kind\":")
        text.append(jsonString: snapshot.kind.rawValue)
        text.append(",\"source\":")
        text.append(jsonString: snapshot.sourceKind)
        text.append(",\"phase\":")
        text.append(jsonString: snapshot.phase.word)
        text.append(",\"usable\":")
        text.append(snapshot.isUsable(at: now) ? "true" : "false")
        text.append(",\"generation\":")
        text.append(decimal: snapshot.generation)
        text.append(",\"mints\":")
        text.append(decimal: snapshot.mints)
        text.append(",\"fetches\":")
        text.append(decimal: snapshot.fetches)
        if let credential = snapshot.credential { text.append(end: credential, at: now) }
        if let next = snapshot.nextRenewal, next.boot < .max || next.wall < .max {
            text.append(",\"next_renewal_in\":")
            text.append(signedDecimal: next.remaining(at: now) / 1_000_000_000)
        }
        if snapshot.isRejected(at: now) { text.append(",\"rejected\":true") }
        if let failure = snapshot.failure {
            text.append(",\"error\":{\"code\":")
            text.append(jsonString: failure.code)
            text.append(",\"message\":")
            text.append(jsonString: failure.message)
            text.append(",\"failures\":")
            text.append(signedDecimal: Int64(snapshot.failures))
            text.append("}")
        }
        if let skew = snapshot.skew {
            text.append(",\"clock_skew\":")
            text.append(jsonString: skew.description)
        }
        text.append("}")
    }

    private func append(_ route: Route, to text: inout ByteBuffer) {
        text.append("{\"route\":")
        text.append(jsonString: route.spec.prefix)
        text.append(",\"upstream\":")
        text.append(jsonString: route.spec.upstream.description)
        text.append(",\"inject\":[")
        for (number, injection) in route.injections.enumerated() {
            if number > 0 { text.append(",") }
            text.append("{\"chain\":[")
            for (place, name) in injection.names.enumerated() {
                if place > 0 { text.append(",") }
                text.append(jsonString: name)
            }
            text.append("]")
            append(
                injection.standing(state.credentials.snapshots, wait: route.timeouts.credentialWait, at: now),
                injection,
                &text)
            text.append("}")
        }
        text.append("]}")
    }

    private func append(_ standing: ChainStanding, _ injection: Route.Injection, _ text: inout ByteBuffer) {
        switch standing {
        case .use(let link, let why):
            text.append(",\"in_use\":")
            text.append(jsonString: injection.names[link])
            text.append(",\"link\":")
            text.append(decimal: UInt64(link))
            text.append(",\"why\":")
            text.append(jsonString: why.rawValue)
        case .asks(let link):
            text.append(",\"in_use\":null,\"asks_for\":")
            text.append(jsonString: injection.names[link])
        case .none:
            text.append(",\"in_use\":null")
        }
    }
}

extension ByteBuffer {
    /// `,"expires_at":…,"expires_in":…` in seconds, of a credential that has an end. One that has it from `maxAge` or
    /// `expires_in` knows it on the boot clock alone; for people it stands on the wall clock as that is now.
    mutating func append(end credential: Credential, at now: HostTime) {
        guard credential.expires != .never else { return }
        let remaining = credential.expires.remaining(at: now)
        append(",\"expires_at\":")
        append(signedDecimal: min(credential.expires.wall, now.wall.plus(remaining)) / 1_000_000_000)
        append(",\"expires_in\":")
        append(signedDecimal: remaining / 1_000_000_000)
    }
}

extension CredentialSnapshot.Phase {
    var word: String {
        switch self {
        case .idle: "idle"
        case .fetching: "fetching"
        case .backingOff: "backing-off"
        case .fresh: "fresh"
        }
    }
}
