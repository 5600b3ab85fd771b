// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// The pipes of a loop. A body has one for a turn of the loop, and longer only while bytes are in it: a sender that
/// pauses holds none. Loop-confined, hence no lock.
///
/// Where there is none, content is copied as ever.
@safe
final class SplicePool {
    /// Pipes open at once. What the pipes of one user may hold is bounded by the kernel, as a rule to 64 MiB: this is half of
    /// it with four loops. So 32 readers that stop can hold 8 MiB of content in a loop's pipes; the next hold a block each.
    static let limit = 32
    /// Of these, kept without a use.
    static let idleLimit = 4
    /// Nanoseconds to wait before asking for one again, when descriptors or pages have run out.
    static let pause: Int64 = 1_000_000_000

    private let idle = LoopCell(OwnedList<OwnedBox<SplicePipe>>())
    private let tally = SplicePipe.Tally()
    private var isShielded = false
    private var nextTry = Int64.min
    /// The kernel, or a sandbox around it, does not splice: never asked again.
    private(set) var isRefused = false

    /// Pipes open, in use or idle.
    var openCount: Int { tally.count }

    /// An empty pipe, if there may be one more.
    ///
    /// - Parameter now: monotonic nanoseconds.
    func take(at now: Int64) -> OwnedBox<SplicePipe>? {
        if isRefused { return nil }
        if let pipe = idle.with({ $0.popLast() }) { return pipe }
        guard openCount < Self.limit, now >= nextTry else { return nil }
        shield()
        do throws(SystemError) {
            let pipe = try SplicePipe(countedBy: tally)
            if pipe.capacity >= SplicePipe.leastSize { return OwnedBox(pipe) }
        } catch {
            if Self.isRefusal(error.code) { isRefused = true }
        }
        nextTry = now + Self.pause
        return nil
    }

    /// Takes a pipe back; with bytes in it, it is closed.
    func give(_ pipe: consuming OwnedBox<SplicePipe>) {
        guard pipe.value.isEmpty, !isRefused else { return }
        var kept: OwnedBox<SplicePipe>? = pipe
        idle.with { list in
            if list.count < Self.idleLimit, let pipe = kept.take() { list.append(pipe) }
        }
    }

    /// The kernel will not splice. Those in use are given back as ever.
    func refuse() {
        isRefused = true
        releaseAll()
    }

    /// Closes those that are idle.
    func releaseAll() {
        while let pipe = idle.with({ $0.popLast() }) { _ = consume pipe }
    }

    /// Whether an error number says that it will never work here: no such system call, forbidden, not for such sockets.
    static func isRefusal(_ code: Int32) -> Bool {
        [ENOSYS, EPERM, EACCES, EINVAL, EOPNOTSUPP].contains(code)
    }

    /// A splice to a peer that is gone raises SIGPIPE, and knows no MSG_NOSIGNAL: this thread does not take it. (The agent
    /// ignores it anyway, but that is `Host/`'s, and not every process with a loop in it does.)
    private func shield() {
        if isShielded { return }
        isShielded = true
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGPIPE)
        unsafe _ = pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}
