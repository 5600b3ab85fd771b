// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A route made ready for requests: everything that can be known before one comes, worked out once.
final class Route: Sendable {
    let spec: RouteSpec
    /// Its place in the plan.
    let number: Int
    /// Bytes of the path that stand for the route and are replaced by the upstream's path.
    let prefix: [UInt8]
    let origin: UpstreamOrigin
    /// Removes the caller's credential fields.
    let strippingForm: UpstreamForm
    /// Lets the caller's credential fields pass, for a call that goes on with the caller's own (BYOK).
    let passingForm: UpstreamForm
    let injections: [Injection]
    let access: AccessPolicy
    let timeouts: Timeouts

    /// Nanoseconds.
    struct Timeouts: Sendable {
        let connect: Int64
        let header: Int64
        let idle: Int64
        let credentialWait: Int64
    }

    /// One field to write, with its chain in terms of the plan's credentials.
    final class Injection: Sendable {
        let chain: Chain
        /// Beside `chain.links`: how each is written; nil for the caller's own.
        let forms: [HeaderForm?]
        let names: [String]
        /// Beside `chain.links`: which rendered line of a loop's table holds it.
        let lineSlots: [Int]

        init(chain: Chain, forms: [HeaderForm?], names: [String], lineSlots: [Int]) {
            self.chain = chain
            self.forms = forms
            self.names = names
            self.lineSlots = lineSlots
        }
    }

    /// - Parameters:
    ///   - credentials: where each credential stands in the loops' tables.
    ///   - lineCount: rendered lines given out so far.
    init(_ spec: RouteSpec, credentials: [String: Int], access: AccessPolicy, number: Int, lineCount: inout Int) {
        self.spec = spec
        self.number = number
        prefix = Array(spec.prefix.utf8)
        self.access = access
        origin = UpstreamOrigin(spec.upstream, spec.tls)
        timeouts = Timeouts(
            connect: spec.timeouts.connect.nanoseconds, header: spec.timeouts.header.nanoseconds,
            idle: spec.timeouts.idle.nanoseconds, credentialWait: spec.timeouts.credentialWait.nanoseconds)

        var fallback = Chain.Fallback()
        if spec.fallback.contains(.unavailable) { fallback.insert(.unavailable) }
        if spec.fallback.contains(.rejected) { fallback.insert(.rejected) }
        injections = spec.injections.map { injection in
            let links = injection.chain.filter { credentials[$0.credential] != nil }
            defer { lineCount += links.count }
            return Injection(
                chain: Chain(
                    links: links.map { .credential(credentials[$0.credential] ?? 0) }, fallback: fallback),
                forms: links.map(\.form), names: links.map(\.credential),
                lineSlots: Array(lineCount..<lineCount + links.count))
        }

        // What an injection writes never comes from the caller, whatever else may pass.
        var written = FieldFilter(names: injections.flatMap(\.forms).compactMap { $0?.field })
        for name in spec.strippedFields { written.insert(name) }
        var stripped = written
        for name in CallerCredential.fieldNames { stripped.insert(name) }
        let path = spec.upstream.path
        strippingForm = UpstreamForm(authority: spec.upstream.authority, path: path, filter: stripped)
        passingForm = UpstreamForm(authority: spec.upstream.authority, path: path, filter: written)
    }

    var form: UpstreamForm { spec.passesCallerCredential ? passingForm : strippingForm }
}

/// Fields in which callers bring credentials of their own.
enum CallerCredential {
    /// Placeholders and real ones alike: a placeholder that got through could win over the injected credential at the
    /// upstream (Vercel's key precedence, Coder's BYOK precedence).
    static let fieldNames = [
        "authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "x-coder-ai-governance-token",
        "coder-session-token", "x-vercel-oidc-token",
    ]
}

extension UpstreamOrigin {
    init(_ spec: UpstreamSpec, _ tls: UpstreamTLSSpec) {
        var configuration: TLSConfiguration?
        var endpoint = Endpoint.host(spec.host, port: spec.port)
        switch spec.transport {
        case .plain: break
        case .unix(let socket): endpoint = .unix(path: socket)
        case .tls:
            configuration = TLSConfiguration(authorityFile: tls.authoritiesPath)
            if let certificate = tls.certificatePath, let key = tls.keyPath {
                configuration?.clientCertificate = .init(certificateFile: certificate, keyFile: key)
            }
        }
        self.init(endpoint: endpoint, tls: configuration, host: spec.host, port: spec.port)
    }
}
