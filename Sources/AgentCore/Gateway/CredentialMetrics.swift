// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The whole answer of `/-/metrics`: what the loops counted, and how the credentials are.
enum CredentialMetrics {
    static func render(_ worker: WorkerMetrics, _ snapshots: [CredentialSnapshot], at now: HostTime) -> String {
        var text = MetricsText()
        text.append(worker)
        text.family("gateway_agent_credential_usable", .gauge, "Whether the credential may be sent now.")
        for snapshot in snapshots {
            text.sample(UInt64(snapshot.isUsable(at: now) ? 1 : 0), ["credential": snapshot.name])
        }
        text.family("gateway_agent_credential_expiry_seconds", .gauge, "Life left; absent for one without an end.")
        for snapshot in snapshots {
            guard let expires = snapshot.credential?.expires, expires.wall < .max || expires.boot < .max else {
                continue
            }
            text.sample(signed: expires.remaining(at: now) / 1_000_000_000, ["credential": snapshot.name])
        }
        text.family("gateway_agent_credential_mints_total", .counter, "Different values received from the source.")
        for snapshot in snapshots { text.sample(snapshot.mints, ["credential": snapshot.name]) }
        text.family("gateway_agent_credential_fetches_total", .counter, "Times that the source was asked.")
        for snapshot in snapshots { text.sample(snapshot.fetches, ["credential": snapshot.name]) }
        text.family("gateway_agent_credential_failing", .gauge, "Failures in a row, by the class of the last.")
        for snapshot in snapshots {
            guard let failure = snapshot.failure else { continue }
            text.sample(UInt64(max(0, snapshot.failures)), ["credential": snapshot.name, "class": failure.code])
        }
        return text.text
    }
}
