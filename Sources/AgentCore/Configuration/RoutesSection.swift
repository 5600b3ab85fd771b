// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What a route has where it says nothing, and what it is checked against.
struct RouteDefaults {
    var allow: AllowSpec
    var timeouts: RouteTimeouts
    var replayBodyBytes: Int?
    var credentials: CredentialsSection
    /// Ports that the agent itself listens on: a route to one of them would call itself for ever.
    var ownPorts: Set<UInt16>
    /// The path of its own socket, likewise.
    var ownSocket: String?
}

/// `routes`: read one by one, the longest prefix first.
struct RoutesSection {
    let defaults: RouteDefaults
    let report: ConfigurationReport

    func read(_ node: ConfigurationNode) -> [RouteSpec] {
        let routes = ObjectReader.read(node, report) { object in
            object.all.compactMap { prefix, member in
                let isPrefix = checkPrefix(prefix, member)
                let route = ObjectReader.read(member.value, report) { self.route(prefix, $0) }
                return isPrefix ? route : nil
            }
        }
        return (routes ?? []).sorted { left, right in
            let (first, second) = (left.prefix.utf8.count, right.prefix.utf8.count)
            return first == second ? left.prefix < right.prefix : first > second
        }
    }

    private func checkPrefix(_ prefix: String, _ member: ConfigurationNode.Member) -> Bool {
        func refuse(_ message: String, _ hint: String) -> Bool {
            report.add(at: member.key, member.value.path, message, hint: hint)
            return false
        }
        guard prefix.hasPrefix("/"), prefix.hasSuffix("/") else {
            let slash = UInt8(ascii: "/")
            let bare = Substring(prefix.utf8.drop { $0 == slash })
            let mended = "/" + bare + (bare.utf8.last == slash || bare.isEmpty ? "" : "/")
            return refuse("is no prefix", "begin and end it with a slash: \(QuotedText.quote(mended))")
        }
        let allowed = "-._~!$&'()*+,;=:@/".utf8
        let isClean = prefix.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || allowed.contains(byte)
        }
        let segments = prefix.split(separator: "/", omittingEmptySubsequences: false).dropFirst().dropLast()
        guard isClean, !segments.contains(where: { $0 == "." || $0 == ".." }), prefix == "/" || !segments.contains("")
        else {
            return refuse(
                "is no prefix",
                "use letters, digits and \"-\", \".\", \"_\" between single slashes, no \".\" or \"..\" alone")
        }
        if prefix.hasPrefix("/-/") {
            return refuse("begins with \"/-/\"", "choose another: the agent answers there itself")
        }
        return true
    }

    private func route(_ prefix: String, _ object: ObjectReader) -> RouteSpec? {
        let upstream = object.required("upstream", .upstream, hint: "write where its calls go: upstream: \"https://…\"")
        let passesCallerCredential = object.value("byok", .bool, default: false)
        let injections = injections(object, passesCallerCredential: passesCallerCredential)
        let isPlaintextAllowed = object.value("unsafePlaintextUpstream", .bool, default: false)
        if let upstream, let node = object.node("upstream") {
            check(upstream, node, isPlaintextAllowed: isPlaintextAllowed)
        }
        var route = RouteSpec(
            prefix: prefix, upstream: upstream ?? .nowhere, injections: injections,
            allow: object.value("allow", .allow, default: defaults.allow))
        route.passesCallerCredential = passesCallerCredential
        route.gateway = object.value("gateway", .word, default: route.gateway)
        route.fallback = Set(object.value("fallback", .list(of: .word), default: Array(route.fallback)))
        route.timeouts = defaults.timeouts
        if let node = object.node("timeouts") {
            _ = ObjectReader.read(node, report) { timeouts in
                for key in ["requestHead", "keepAlive", "upstreamKeepAlive", "drain"] {
                    timeouts.refuse(key, "is no matter of one route", hint: "write it in timeouts at the top")
                }
                route.timeouts.read(timeouts)
                return true
            }
        }
        route.replayBodyBytes = object.value(
            "replayBodyBytes", .replayBodyBytes, default: defaults.replayBodyBytes ?? route.replayBodyBytes)
        route.tls = object.value("tls", .upstreamTLS, default: route.tls)
        if let upstream, upstream.transport != .tls, let node = object.node("tls") {
            report.add(node, "stands on a route without TLS", hint: "write an https:// upstream, or delete it")
        }
        route.showsCredential = object.value("showCredential", .bool, default: false)
        route.strippedFields = Set(object.value("strip", .list(of: .strippedFieldName), default: []))
        return upstream == nil ? nil : route
    }

    private func check(_ upstream: UpstreamSpec, _ node: ConfigurationNode, isPlaintextAllowed: Bool) {
        if case .unix(let socket) = upstream.transport, let own = defaults.ownSocket,
            Self.parts(ofPath: socket) == Self.parts(ofPath: own)
        {
            report.add(
                node, "is the socket of this agent itself", hint: "write the address of the gateway behind it")
        }
        guard upstream.transport == .plain else { return }
        let isLoopback = PlainURL.isLoopback(upstream.host)
        if !isLoopback, !isPlaintextAllowed {
            report.add(
                node, "would carry a credential unencrypted to \(upstream.host)",
                hint: "write https://, or unsafePlaintextUpstream: true if nobody else is on that network")
        }
        if isLoopback, defaults.ownPorts.contains(upstream.port) {
            report.add(
                node, "is port \(upstream.port) of this agent itself",
                hint: "write the address of the gateway behind it")
        }
    }

    /// Equal for paths that differ in `//` and `/./` alone. Links are not followed: no file is looked at here.
    private static func parts(ofPath path: String) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }
    }
}

// MARK: Injections

extension RoutesSection {
    private func injections(_ object: ObjectReader, passesCallerCredential: Bool) -> [InjectionSpec] {
        if object.has("inject"), let chain = object.node("chain") {
            report.add(chain, "cannot stand beside inject", hint: "move it into inject: [{ chain: [ … ] }]")
        }
        var injections: [InjectionSpec] = []
        if let node = object.node("inject") {
            guard case .list(let elements) = node.content else {
                report.add(node, "is \(node.kind)", hint: "write a list: [{ header: \"authorization\", chain: [ … ] }]")
                return []
            }
            var owners: [String: Int] = [:]
            for (index, element) in elements.enumerated() {
                let injection = ObjectReader.read(element, report) { injection in
                    let form = FormReader(injection)
                    let chain = injection.required(
                        "chain", chain(form.form(default: nil)), hint: "name the credentials: chain: [ … ]")
                    return form.isBroken ? nil : chain
                }
                guard let injection else { continue }
                injections.append(injection)
                for field in Set(injection.chain.map(\.form.field)).sorted() {
                    if let owner = owners[field] {
                        report.add(
                            element, "writes \(field), as inject[\(owner)] does",
                            hint: "write a field by one injection only")
                    }
                    owners[field] = index
                }
            }
            if elements.isEmpty, !passesCallerCredential { reportNoCredential(node) }
        } else if object.has("chain") {
            if let injection = object.optional("chain", chain(nil)) { injections = [injection] }
        } else if !passesCallerCredential {
            reportNoCredential(object.node)
        }
        return injections
    }

    private func reportNoCredential(_ node: ConfigurationNode) {
        report.add(node, "injects no credential", hint: "write chain: [ … ], or byok: true to pass on the caller's own")
    }

    /// A chain: names, or objects that say how this upstream wants the credential.
    ///
    /// The nearest word counts: the link's own form, else the credential's, else the injection's, else
    /// `Authorization: Bearer`.
    private func chain(_ form: HeaderForm?) -> Field<InjectionSpec> {
        let credentials = defaults.credentials
        return Field { node, report in
            guard case .list(let elements) = node.content else {
                report.add(node, "is \(node.kind)", hint: "write a list of names: [\"…\"]")
                return nil
            }
            if elements.isEmpty { report.add(node, "is empty", hint: "name at least one credential") }
            var links: [InjectionLink] = []
            for element in elements {
                guard let link = Self.link(element, form, credentials, report) else { continue }
                if links.contains(where: { $0.credential == link.credential }) {
                    report.add(
                        element, "names \(QuotedText.quote(link.credential)) again",
                        hint: "delete it: a chain never comes back")
                } else {
                    links.append(link)
                }
            }
            return links.isEmpty ? nil : InjectionSpec(chain: links)
        }
    }

    private static func link(
        _ node: ConfigurationNode, _ form: HeaderForm?, _ credentials: CredentialsSection, _ report: ConfigurationReport
    ) -> InjectionLink? {
        func link(_ name: String, _ ownForm: HeaderForm?) -> InjectionLink {
            InjectionLink(credential: name, form: ownForm ?? credentials.forms[name] ?? form ?? .bearer)
        }
        let name = Field<String>.credentialName(credentials)
        guard case .object = node.content else { return name.read(node, report).map { link($0, nil) } }
        return ObjectReader.read(node, report) { object in
            let ownForm = FormReader(object)
            let name = object.required("credential", name, hint: "write credential: \"…\"")
            return name.map { name in
                link(name, ownForm.isWritten ? ownForm.form(default: credentials.forms[name] ?? form) : nil)
            }
        }
    }
}

extension Field<String> {
    /// The name of a credential of this configuration.
    static func credentialName(_ credentials: CredentialsSection) -> Field {
        text("write the name of a credential in quotes") { text throws(Misfit) in
            if credentials.names.contains(text) { return text }
            if text == CredentialsSection.reservedName {
                throw Misfit(
                    hint: "delete it, and write byok: true on the route to pass on the caller's own credential")
            }
            let nearest = Suggestion.nearest(to: text, among: credentials.names)
            let known = credentials.names.sorted().prefix(8).map(QuotedText.mask).joined(separator: ", ")
            throw Misfit(
                message: "names no credential \(QuotedText.quote(text))",
                hint: nearest.map { "did you mean \(QuotedText.quote($0))?" }
                    ?? (known.isEmpty ? "write it in credentials" : "there are: \(known)"))
        }
    }

    /// A request field that may be removed.
    static let strippedFieldName = fieldName.checked { name in
        guard framingFields.contains(name) else { return nil }
        return Misfit(hint: "delete it: the agent writes or removes this field itself")
    }
}

extension Field<UpstreamSpec> {
    static let upstream = text("write an address such as \"https://gateway.example/\" or \"unix:/run/gateway.sock\"") {
        text throws(Misfit) in
        if text.hasPrefix("unix:") { return try unix(text.dropFirst(5)) }
        guard let url = try PlainURL(text) else {
            let isBare = !text.contains("://") && text.contains(".") && !QuotedText.looksSecret(text)
            throw Misfit(hint: isBare ? "write \(QuotedText.quote("https://" + text))" : nil)
        }
        if url.query != nil { throw Misfit(hint: "delete \"?\" and what follows: the query is the caller's") }
        return UpstreamSpec(
            transport: url.isSecure ? .tls : .plain, host: url.host, port: url.port, path: try path(url.path))
    }

    private static func unix(_ text: Substring) throws(Misfit) -> UpstreamSpec {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let socket = String(parts.first ?? "")
        guard socket.hasPrefix("/"), SocketAddress(unixPath: socket) != nil else {
            throw Misfit(
                hint:
                    "write \"unix:\" and an absolute path of at most \(SocketAddress.unixPathLimit) bytes, such as \"unix:/run/gateway.sock\""
            )
        }
        let path = try path(parts.count > 1 ? String(parts[1]) : "/")
        return UpstreamSpec(transport: .unix(socket: socket), host: "localhost", port: 80, path: path)
    }

    /// With the slash at the end that makes it a prefix.
    private static func path(_ text: String) throws(Misfit) -> String {
        let path = text.hasSuffix("/") ? text : text + "/"
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().dropLast()
        let isClean = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"?#\\\"".utf8.contains($0) }
        if path.hasPrefix("/"), isClean, !segments.contains(where: { $0 == "." || $0 == ".." || $0.isEmpty }) {
            return path
        }
        throw Misfit(hint: "write its path with single slashes, without \".\" and \"..\"")
    }
}

extension UpstreamSpec {
    /// Stands in for an upstream that was refused, so that the rest of its route is read too.
    fileprivate static let nowhere = UpstreamSpec(transport: .tls, host: "", port: 443, path: "/")
}

extension Field<UpstreamTLSSpec> {
    static let upstreamTLS = Field { node, report in
        ObjectReader.read(node, report) { object in
            for key in ["verify", "insecure", "skipVerify", "insecureSkipVerify", "rejectUnauthorized"] {
                object.refuse(key, "does not exist", hint: "write ca: \"/path.pem\" for an authority of your own")
            }
            let spec = UpstreamTLSSpec(
                authoritiesPath: object.optional("ca", .pemPath),
                certificatePath: object.optional("certificate", .pemPath), keyPath: object.optional("key", .pemPath))
            if object.has("certificate") != object.has("key") {
                let missing = object.has("key") ? "certificate" : "key"
                report.add(node, "has no \"\(missing)\"", hint: "write both certificate and key, or neither")
            }
            return spec
        }
    }
}
