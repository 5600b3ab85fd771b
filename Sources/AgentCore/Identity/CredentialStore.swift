// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Where values are kept across restarts. Called on the control loop; what blocks is to be offloaded.
protocol CredentialStore: Sendable {
    /// - Returns: nil if nothing is kept.
    /// - Throws: why what is kept cannot be used.
    func load(_ spec: CredentialSpec, at now: HostTime) async throws(NotKept) -> SourceValue?
    func save(_ credential: Credential, _ spec: CredentialSpec, at now: HostTime) async throws(NotKept)
    /// The refresh token of the last answer; nil and errors as above.
    func loadRefresh(_ spec: CredentialSpec) async throws(NotKept) -> Secret?
    /// - Parameter token: nil if there is none to be kept any more. What was kept is there until the new one is.
    func saveRefresh(_ token: Secret?, _ spec: CredentialSpec) async throws(NotKept)
}

/// Why a value is not kept, or what was kept is not used: a sentence for the log.
struct NotKept: Error, Sendable, Equatable {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
