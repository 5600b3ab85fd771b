// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What metrics say of one credential. Its name is the only label, and names come from the configuration.
struct CredentialMetrics: Sendable, Equatable {
    let name: String
    /// Whether a call could be made with it now.
    var isUsable = false
    /// How long it lives yet; nil if it has no end, or there is none.
    var remainingNanoseconds: Int64?
    /// Different values received.
    var mints: UInt64 = 0
    /// Times that the source was asked.
    var fetches: UInt64 = 0
    /// Times in a row that it gave nothing usable.
    var failures = 0
}

/// What metrics say of one link of a route's chain.
struct ChainLinkMetrics: Sendable, Equatable {
    /// The route's prefix, and which of its injections.
    let route: String
    let injection: Int
    /// Its place in the chain, from 0, and the credential's name.
    let link: Int
    let credential: String
    /// Whether the next call would go out with it.
    let isInUse: Bool
}

extension MetricsText {
    mutating func append(_ links: [ChainLinkMetrics]) {
        family(
            "gateway_agent_chain_link", .gauge,
            "1 for the link of the route's chain that the next call uses; all 0: it has to be asked for, or none can be used."
        )
        for link in links {
            sample(
                link.isInUse ? 1 : 0,
                [
                    "route": link.route, "injection": "\(link.injection)", "link": "\(link.link)",
                    "credential": link.credential,
                ])
        }
    }

    mutating func append(_ credentials: [CredentialMetrics]) {
        let credentials = credentials.sorted { $0.name < $1.name }
        family("gateway_agent_credential_usable", .gauge, "1 if a call could be made with the credential now.")
        for credential in credentials { sample(credential.isUsable ? 1 : 0, ["credential": credential.name]) }
        family(
            "gateway_agent_credential_remaining_seconds", .gauge, "Until the credential expires; absent without an end."
        )
        for credential in credentials {
            guard let remaining = credential.remainingNanoseconds else { continue }
            sample(nanoseconds: remaining, ["credential": credential.name])
        }
        family("gateway_agent_credential_mints_total", .counter, "Different values received from the source.")
        for credential in credentials { sample(credential.mints, ["credential": credential.name]) }
        family("gateway_agent_credential_fetches_total", .counter, "Times that the source was asked.")
        for credential in credentials { sample(credential.fetches, ["credential": credential.name]) }
        family("gateway_agent_credential_failures", .gauge, "Times in a row that the source gave nothing usable.")
        for credential in credentials {
            sample(signed: Int64(credential.failures), ["credential": credential.name])
        }
    }

    /// What is running, and since when.
    mutating func append(version: String, started: HostTime) {
        family("gateway_agent_info", .gauge, "Always 1; the labels tell the version.")
        sample(1, ["version": version])
        family("gateway_agent_start_time_seconds", .gauge, "When the agent started, in seconds since 1970.")
        sample(nanoseconds: started.wall)
    }
}
