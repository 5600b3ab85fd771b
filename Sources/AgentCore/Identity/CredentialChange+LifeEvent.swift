// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension CredentialChange {
    /// The moment of life that this is; several changes may be one to an operator.
    var lifeEvent: LifeEvent {
        switch self {
        case .received, .restored: .credentialReceived
        case .failing, .notKept, .refreshRefused: .credentialFailing
        case .recovered: .credentialRecovered
        case .expired, .lapsed: .credentialEnded
        case .rejected: .credentialRejected
        case .skew: .clockSkew
        }
    }
}
