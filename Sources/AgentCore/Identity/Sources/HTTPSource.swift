// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Asks an issuer over HTTP: one request, put together anew from where its parts lie, for one answer.
///
/// Neither a redirect nor a proxy of the environment is followed: the request may carry a secret, and goes where the
/// configuration says.
struct HTTPSource: CredentialSource {
    let spec: HTTPSourceSpec
    let loop: EventLoop
    var clock: any HostClock = SystemClock()
    private let reading = FileReading()

    func fetch() async throws(CredentialFailure) -> SourceValue {
        try await fetch(with: RefreshGrant())
    }

    /// Asks with the refresh token if there is one, and as at first if there is none or the issuer takes it no more.
    func fetch(with grant: RefreshGrant) async throws(CredentialFailure) -> SourceValue {
        let deadline = loop.now.plus(spec.timeLimit.nanoseconds)
        let parker = Parker(on: loop)
        return try await parker.wakingAtCancellation { () throws(CredentialFailure) in
            if let token = grant.token, let request = spec.refreshing(with: token) {
                let verdict = try await ask(request, on: parker, by: deadline)
                guard let reason = verdict.grantRefusal else { return try verdict.value(grant) }
                grant.drop(reason)
            }
            return try await ask(spec, on: parker, by: deadline).value(grant)
        }
    }

    private func ask(
        _ request: HTTPSourceSpec, on parker: Parker, by deadline: Int64
    ) async throws(CredentialFailure) -> Verdict {
        guard let target = request.clientTarget else {
            throw CredentialFailure(
                .unavailable, "the source's address cannot be used; write \"https://HOST/PATH\", or unix and target")
        }
        let prepared = try await prepare(request, target, on: parker, by: deadline)
        let answer: ClientAnswer
        do throws(ClientCallFailure) {
            answer = try await prepared.call.run(on: loop, parker: parker, context: prepared.context, by: deadline)
        } catch {
            throw failure(error, target)
        }
        return Verdict(answer, of: target, spec, words: prepared.words, at: clock.now())
    }

    /// Reads what the request is made of on another thread, and waits for it no longer than for the rest.
    private func prepare(
        _ spec: HTTPSourceSpec, _ target: ClientTarget, on parker: Parker, by deadline: Int64
    ) async throws(CredentialFailure) -> PreparedRequest {
        guard reading.begin() else {
            throw CredentialFailure(
                .timedOut,
                "\(target.description): an earlier reading of the request's files has not come back; "
                    + "see whether one lies on a file system that hangs")
        }
        let pending = Pending(on: loop, waking: parker) { () -> Result<PreparedRequest, CredentialFailure> in
            defer { reading.end() }
            return Result { () throws(CredentialFailure) in try PreparedRequest(spec, to: target) }
        }
        defer { pending.abandon() }
        while true {
            if let result = pending.value { return try result.get() }
            if Task.isCancelled { throw failure(.cancelled, target) }
            if loop.now >= deadline { throw failure(.timedOut("reading the files of the request"), target) }
            _ = await parker.park(until: deadline)
        }
    }

    /// What a call without an answer is called.
    private func failure(_ failure: ClientCallFailure, _ target: ClientTarget) -> CredentialFailure {
        let (kind, repair): (CredentialFailure.Kind, String) =
            switch failure {
            case .dial(.unresolved): (.unreachable, "; see the name, and this host's resolver")
            case .dial(.tls): (.unreachable, "")
            case .dial: (.unreachable, "; see whether it runs and whether this host may reach it")
            case .unsendable, .exposed: (.unavailable, "")
            case .timedOut:
                (
                    .timedOut,
                    "; the limit is \(ReadableDuration(spec.timeLimit.nanoseconds)), which timeout in its configuration raises"
                )
            case .cancelled: (.timedOut, "")
            case .cut: (.unreachable, "; it is asked again")
            case .nonsense: (.malformed, "; see whether the port is the right one")
            case .tooLarge: (.malformed, ", which is no token; see the address, or raise answerBytes")
            }
        return CredentialFailure(kind, "\(target.description): \(failure)\(repair)")
    }
}

/// Whether the files of a source are being read: maybe by a question that was given up, as a read cannot be. One more at each
/// question would in the end hold every thread there is for what blocks.
private final class FileReading: Sendable {
    private let isBusy = Mutex(false)

    /// - Returns: false if an earlier one has not ended.
    func begin() -> Bool {
        isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
    }

    func end() { isBusy.withLock { $0 = false } }
}

extension HTTPSourceSpec {
    var clientTarget: ClientTarget? {
        switch target {
        case .url(let url): ClientTarget(url: url)
        case .unix(let socket, let target): ClientTarget(unixPath: socket, target: target)
        }
    }
}
