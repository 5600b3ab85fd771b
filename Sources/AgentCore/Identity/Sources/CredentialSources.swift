// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Makes the sources that the configuration describes.
enum CredentialSources {
    /// - Parameter loop: where `fetch()` will be called; nothing runs on it before.
    static func source(for spec: CredentialSpec, on loop: EventLoop) -> any CredentialSource {
        // At once, and not only when a call wants it: until then it would stand in /proc/PID/environ.
        for case .env(let name) in values(spec) { _ = LocalSource.Place.variable(name) }
        return switch spec.source {
        case .file(let path, let field): LocalSource(place: .file(path: path), field: field)
        case .env(let name, let field): LocalSource(place: .env(name: name), field: field)
        case .systemdCredential(let name, let field): LocalSource(place: .systemdCredential(name: name), field: field)
        case .exec(let exec): ExecSource(spec: exec, loop: loop)
        case .http(let http): HTTPSource(spec: http, loop: loop)
        }
    }

    /// The files whose change may change the credential: its own, and those that a request or a command is made of.
    static func watchedPaths(_ spec: CredentialSpec) -> [String] {
        var paths: [String] = []
        for path in values(spec).compactMap(\.path) where !paths.contains(path) { paths.append(path) }
        return paths
    }

    /// What the source reads on this host.
    private static func values(_ spec: CredentialSpec) -> [ValueSpec] {
        switch spec.source {
        case .file(let path, _): [.file(path: path)]
        case .systemdCredential(let name, _): [.systemdCredential(name: name)]
        case .env(let name, _): [.env(name: name)]
        case .exec(let exec): exec.environment.sorted { $0.key < $1.key }.map(\.value)
        case .http(let http):
            (http.fields + (http.refresh?.fields ?? [])).flatMap(\.value.parts)
                + (http.body?.parts ?? []) + (http.refresh?.body.parts ?? [])
        }
    }
}

extension ValueSpec {
    /// The file it is read from; nil if it is read from none.
    fileprivate var path: String? {
        switch self {
        case .literal, .secret, .env, .refreshToken: nil
        case .file(let path): LocalSource.Place.file(path: path).path
        case .systemdCredential(let name): LocalSource.Place.systemdCredential(name: name).path
        }
    }
}
