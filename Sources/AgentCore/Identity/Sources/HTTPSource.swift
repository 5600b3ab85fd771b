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

    func fetch() async throws(CredentialFailure) -> SourceValue {
        guard let target else {
            throw CredentialFailure(
                .unavailable, "the source's address cannot be used; write \"https://HOST/PATH\", or unix and target")
        }
        let deadline = loop.now.plus(spec.timeLimit.nanoseconds)
        let parker = Parker(on: loop)
        return try await parker.wakingAtCancellation { () throws(CredentialFailure) in
            let prepared = try await prepare(target, on: parker, by: deadline)
            let answer: ClientAnswer
            do throws(ClientCallFailure) {
                answer = try await prepared.call.run(on: loop, parker: parker, context: prepared.context, by: deadline)
            } catch {
                throw failure(error, target)
            }
            return try Verdict(answer, of: target, spec, words: prepared.words, at: clock.now()).value()
        }
    }

    var target: ClientTarget? {
        switch spec.target {
        case .url(let url): ClientTarget(url: url)
        case .unix(let socket, let target): ClientTarget(unixPath: socket, target: target)
        }
    }

    /// Reads what the request is made of on another thread, and waits for it no longer than for the rest.
    private func prepare(
        _ target: ClientTarget, on parker: Parker, by deadline: Int64
    ) async throws(CredentialFailure) -> PreparedRequest {
        let spec = spec
        let pending = Pending(on: loop, waking: parker) { () -> Result<PreparedRequest, CredentialFailure> in
            Result { () throws(CredentialFailure) in try PreparedRequest(spec, to: target) }
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
