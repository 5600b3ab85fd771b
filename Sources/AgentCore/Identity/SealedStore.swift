// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Keeps values in files of the agent's state folder, each sealed (AES-256-GCM) under a key that only the service
/// manager hands out. Whoever takes the files without the key has nothing.
///
/// A file opens only for the credential it was written for: its name and all inputs of its source are authenticated
/// with it. After a change of the configuration, of the key or of one byte it is as good as not there.
struct SealedStore: CredentialStore {
    /// The name under which systemd hands out the key: `LoadCredentialEncrypted=gateway-agent-state-key`.
    static let keyName = "gateway-agent-state-key"
    /// A key file's length. It is digested, so that 32 random bytes serve as well as a line of 64 digits.
    static let keyLengths = 32...4096
    /// The first bytes of a file.
    private static let mark = Array("gateway-agent sealed value 1\n".utf8)

    let folder: String
    let place: LocalSource.Place
    /// The running kernel's `boot_id`, within which boot-clock moments can be compared.
    let bootID: String

    init(folder: String, place: LocalSource.Place = .systemdCredential(name: Self.keyName), bootID: String) {
        self.folder = folder
        self.place = place
        self.bootID = bootID
    }

    func load(_ spec: CredentialSpec, at now: HostTime) async throws(NotKept) -> SourceValue? {
        try await EventLoop.offload { () -> Result<SourceValue?, NotKept> in
            Result { () throws(NotKept) in try read(spec, at: now) }
        }.get()
    }

    func save(_ credential: Credential, _ spec: CredentialSpec, at now: HostTime) async throws(NotKept) {
        try await EventLoop.offload { () -> Result<Void, NotKept> in
            Result { () throws(NotKept) in
                try seal(KeptValue(credential, at: now, bootID: bootID).encoded(), .value, spec)
            }
        }.get()
    }

    func loadRefresh(_ spec: CredentialSpec) async throws(NotKept) -> Secret? {
        try await EventLoop.offload { () -> Result<Secret?, NotKept> in
            Result { () throws(NotKept) in try open(.refresh, spec) }
        }.get()
    }

    func saveRefresh(_ token: Secret?, _ spec: CredentialSpec) async throws(NotKept) {
        try await EventLoop.offload { () -> Result<Void, NotKept> in
            Result { () throws(NotKept) in
                if let token { try seal(token, .refresh, spec) } else { try remove(.refresh, spec) }
            }
        }.get()
    }

    /// The files of one credential. Each is bound to its kind, so that none can be passed off as the other.
    private enum Kind: String {
        case value = "sealed"
        case refresh = "refresh-sealed"
    }

    private func path(_ kind: Kind, _ spec: CredentialSpec) -> String { "\(folder)/\(spec.name).\(kind.rawValue)" }

    // MARK: Blocking

    private func read(_ spec: CredentialSpec, at now: HostTime) throws(NotKept) -> SourceValue? {
        guard let plain = try open(.value, spec) else { return nil }
        guard let kept = plain.withExposedBytes({ KeptValue($0) }) else {
            let path = path(.value, spec)
            throw NotKept("the kept value is ignored: \(path) cannot be read; it is written anew with the next value")
        }
        return try kept.value(at: now, bootID: bootID)
    }

    private func open(_ kind: Kind, _ spec: CredentialSpec) throws(NotKept) -> Secret? {
        let path = path(kind, spec)
        let file: Secret
        do throws(SystemError) { file = try Secret(contentsOf: path, limitBytes: 1 << 20) } catch {
            if error.isMissing { return nil }
            throw NotKept("the kept value is ignored: \(error)")
        }
        let key = try key()
        return try file.withExposedBytes { bytes throws(NotKept) in
            let mark = Self.mark.count
            guard bytes.count > mark, Self.mark.indices.allSatisfy({ bytes[$0] == Self.mark[$0] }) else {
                throw NotKept("the kept value is ignored: \(path) is no file of this version of the agent")
            }
            let context = Self.context(kind, spec)
            guard let plain = key.open(bytes.extracting(mark..<bytes.count), context: context.span) else {
                throw NotKept(
                    "the kept value is ignored: \(path) is torn, or from another key or configuration; "
                        + "it is written anew with the next value")
            }
            return plain
        }
    }

    private func seal(_ plain: Secret, _ kind: Kind, _ spec: CredentialSpec) throws(NotKept) {
        let key = try key()
        let box: [UInt8]
        do throws(CryptoFailure) {
            box = try key.seal(plain, context: Self.context(kind, spec).span)
        } catch {
            throw NotKept("the value cannot be kept: \(error)")
        }
        do throws(SystemError) {
            try AtomicFile.makeFolder(folder)
            try AtomicFile.write((Self.mark + box).span, to: path(kind, spec))
        } catch {
            throw NotKept("the value cannot be kept in \(folder): \(error); see that the agent may write there")
        }
    }

    private func remove(_ kind: Kind, _ spec: CredentialSpec) throws(NotKept) {
        do throws(SystemError) { try AtomicFile.remove(path(kind, spec)) } catch {
            throw NotKept("\(path(kind, spec)) cannot be removed: \(error); it holds a token that is no longer taken")
        }
    }

    private func key() throws(NotKept) -> SealingKey {
        let contents: Secret
        do throws(CredentialFailure) { contents = try place.contents() } catch {
            throw NotKept(
                "cache: \"state\" needs a key: \(error.message); the command that makes one is in gateway-agent(8)")
        }
        guard Self.keyLengths.contains(contents.count) else {
            throw NotKept(
                "\(place) is \(contents.count) bytes long, and a key \(Self.keyLengths.lowerBound) at least; "
                    + "write it from /dev/urandom")
        }
        var digest = contents.withExposedBytes { SHA256.digest($0) }
        defer { for index in digest.indices { digest[index] = 0 } }
        do throws(CryptoFailure) { return try SealingKey(Secret(copying: digest.span)) } catch {
            throw NotKept("the value cannot be kept: \(error)")
        }
    }

    /// What a file is bound to.
    private static func context(_ kind: Kind, _ spec: CredentialSpec) -> [UInt8] {
        var text = kind == .value ? "gateway-agent kept value\n" : "gateway-agent refresh token\n"
        text += "\(spec.name)\n"
        CanonicalText.append(spec.source, to: &text)
        return SHA256.digest(text.utf8.span)
    }
}

/// A text that is equal for equal values, whatever the order of their dictionaries. Secrets in it are redacted.
enum CanonicalText {
    static func append(_ value: Any, to text: inout String) {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .dictionary:
            let members = mirror.children.map { child in
                var member = ""
                append(child.value, to: &member)
                return member
            }
            text += "{" + members.sorted().joined(separator: ",") + "}"
        case .struct, .tuple, .collection, .optional, .enum, .class, .set:
            if mirror.children.isEmpty {
                text += "\(value)".debugDescription
                return
            }
            text += "("
            for child in mirror.children {
                text += (child.label ?? "") + ":"
                append(child.value, to: &text)
                text += ","
            }
            text += ")"
        default:
            text += "\(value)".debugDescription
        }
    }
}
