// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A credential that lies on this host: in a file, in a variable of the agent, in a systemd credential. Read anew at each
/// fetch.
struct LocalSource: CredentialSource {
    enum Place: Sendable {
        case file(path: String)
        case env(name: String)
        case systemdCredential(name: String)
    }

    let place: Place
    let field: FieldSpec

    /// Files larger than this hold no credential.
    static let limitBytes = 1 << 20

    func fetch() async throws(CredentialFailure) -> SourceValue {
        let (place, field) = (place, field)
        return try await EventLoop.offload { () -> Result<SourceValue, CredentialFailure> in
            Result { () throws(CredentialFailure) in
                let contents = try place.contents()
                do throws(CredentialFailure) {
                    return try contents.withExposedBytes { bytes throws(CredentialFailure) in try field.value(in: bytes)
                    }
                } catch {
                    throw CredentialFailure(error.kind, "\(place): \(error.message)")
                }
            }
        }.get()
    }
}

extension LocalSource.Place: CustomStringConvertible {
    /// The whole text there. Blocks.
    func contents() throws(CredentialFailure) -> Secret {
        switch self {
        case .env(let name):
            guard let value = Self.variable(name) else {
                throw CredentialFailure(
                    .unavailable, "\(self) is not set; set it where the agent is started (systemd: Environment=)")
            }
            return value
        case .file, .systemdCredential:
            guard let path else {
                throw CredentialFailure(
                    .unavailable,
                    "\(self) is not there, since CREDENTIALS_DIRECTORY is not set; add LoadCredential= to the unit")
            }
            do throws(SystemError) {
                return try Secret(contentsOf: path, limitBytes: LocalSource.limitBytes)
            } catch {
                throw CredentialFailure(.unavailable, "\(self): \(error.reason); \(repair(error))")
            }
        }
    }

    /// Taken out of the environment, unless commands inherit it.
    static func variable(_ name: String) -> Secret? {
        ExecSource.inherited.contains(name)
            ? Secret(environmentVariable: name) : Secret(takingEnvironmentVariable: name)
    }

    /// What to watch; nil if it is no file.
    var path: String? {
        switch self {
        case .file(let path): path
        case .env: nil
        case .systemdCredential(let name):
            Secret(environmentVariable: "CREDENTIALS_DIRECTORY").map { folder in
                folder.withExposedBytes { bytes in
                    String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) + "/" + name
                }
            }
        }
    }

    private func repair(_ error: SystemError) -> String {
        if !error.isMissing { return "see that the agent's user may read it and that it is the right file" }
        guard case .systemdCredential(let name) = self else { return "see the path, or create the file" }
        // The folders of the package's unit, whose files have these names here.
        if name.hasPrefix("key_") {
            return "put it into /etc/gateway-agent/credentials/\(name.dropFirst(4)), "
                + "then systemctl reload gateway-agent"
        }
        if name.hasPrefix("sealed_") {
            return "systemd-creds encrypt --name=\(name) - /etc/gateway-agent/sealed/\(name.dropFirst(7)) makes it; "
                + "then systemctl reload gateway-agent"
        }
        return "add LoadCredential=\(name):… to the unit"
    }

    var description: String {
        switch self {
        case .file(let path): "file \(path)"
        case .env(let name): "variable \(name)"
        case .systemdCredential(let name): "systemd credential \(name)"
        }
    }
}

extension ValueSpec {
    /// The value as it is now. Blocks where it is read from a file.
    func resolved() throws(CredentialFailure) -> Secret {
        let place: LocalSource.Place
        switch self {
        case .literal(let text): return Secret(copying: text.utf8.span)
        case .secret(let secret): return secret
        case .file(let path): place = .file(path: path)
        case .env(let name): place = .env(name: name)
        case .systemdCredential(let name): place = .systemdCredential(name: name)
        case .refreshToken:
            throw CredentialFailure(.unavailable, "there is no refresh token here; write it in the body of refresh")
        }
        do throws(CredentialFailure) {
            return try place.contents().withExposedBytes { bytes throws(CredentialFailure) in
                try TokenRules.validated(bytes)
            }
        } catch {
            throw error.kind == .unavailable ? error : CredentialFailure(error.kind, "\(place): \(error.message)")
        }
    }
}

extension Template {
    /// All parts in a row. Blocks where a part is read from a file.
    func rendered() throws(CredentialFailure) -> Secret {
        var bytes = ByteBuffer()
        defer { bytes.consumeWiping(bytes.count) }
        for part in parts { try part.resolved().withExposedBytes { bytes.append($0) } }
        return Secret(copying: bytes.readable)
    }
}
