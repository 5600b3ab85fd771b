// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The context of a kind of TLS that routes use, which may be still to be made.
///
/// One with files of its own is made with the plan: what is wrong with them is told before anybody calls. One that trusts
/// the system's authorities has no mistake to tell, and takes 20 ms that neither the start nor a call in plain text need
/// wait for: it is made off the loops, begun when the agent serves, and the first TLS connection waits for it.
///
/// ## Concurrency
/// Sendable; everything that changes is behind the mutex.
final class UpstreamTLS: Sendable {
    typealias Made = Result<TLSContext, TLSFailure>

    private let configuration: TLSConfiguration
    private let state: Mutex<State>

    private struct State {
        var context: TLSContext?
        var isBeingMade = false
        var waiters: [@Sendable (Made) -> Void] = []
    }

    /// Blocks where there are files to read.
    ///
    /// - Throws: what is wrong with them.
    init(_ configuration: TLSConfiguration) throws(TLSFailure) {
        self.configuration = configuration
        state = Mutex(State(context: configuration.hasFiles ? try TLSContext(client: configuration) : nil))
    }

    /// Nil while it is still to be made.
    var context: TLSContext? { state.withLock { $0.context } }

    /// Begins to make it, unless that has been done. Any thread; does not wait.
    func prepare() {
        whenMade { _ in }
    }

    /// Calls `tell` once it is made, on this thread or another. After a failure the next who asks has it tried again.
    func whenMade(_ tell: @escaping @Sendable (Made) -> Void) {
        let (context, begins) = state.withLock { state -> (TLSContext?, Bool) in
            if let context = state.context { return (context, false) }
            state.waiters.append(tell)
            defer { state.isBeingMade = true }
            return (nil, !state.isBeingMade)
        }
        if let context { return tell(.success(context)) }
        if begins { BlockingThreads.shared.run { self.make() } }
    }

    private func make() {
        let made: Made
        do throws(TLSFailure) { made = .success(try TLSContext(client: configuration)) } catch {
            made = .failure(error)
        }
        let waiters = state.withLock { state in
            state.context = try? made.get()
            state.isBeingMade = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for tell in waiters { tell(made) }
    }
}
