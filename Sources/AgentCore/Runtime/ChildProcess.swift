// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A program to be run for what it prints.
struct ChildCommand: Sendable {
    /// The program and its arguments, passed on as they are: there is no shell. A program without a slash is looked up
    /// in the PATH of `environment`.
    var arguments: [String]
    /// With `secrets` all that the program sees; nothing is inherited.
    var environment: [String: String] = [:]
    /// Variables whose values are wiped from this process's memory once the program has started. PATH is none.
    var secrets: [String: Secret] = [:]
    /// Default: the agent's own.
    var workingDirectory: String?
    /// After this the program is asked to end by SIGTERM. Default 30 s.
    var timeLimit: Duration = .seconds(30)
    /// Between SIGTERM and SIGKILL. Default 2 s.
    var grace = Self.standardGrace
    static let standardGrace = Duration.seconds(2)
    /// Bytes of standard output taken; more is a failure. Default 64 KiB.
    var outputLimit = 64 << 10

    /// For sentences: the program without its folder, and never its arguments.
    var name: String {
        String(printing: arguments.first?.split(separator: "/").last.map(String.init) ?? "", limit: 60)
    }
}

/// A program that gave no result, as a sentence for people. What it wrote to standard output is never in it.
struct ChildFailure: Error, Equatable, CustomStringConvertible {
    enum Kind: Sendable, Equatable {
        /// It could not be started; errno(3) of what failed.
        case notStarted(Int32)
        case exited(Int32)
        case killed(signal: Int32)
        case timedOut
        case tooMuchOutput
        case cancelled
    }

    let kind: Kind
    /// What happened.
    let sentence: String
    /// The end of what it wrote to standard error, on one line; often the reason. It may name what it should not: who
    /// knows of secrets takes them out.
    let complaint: String

    init(kind: Kind, description: String, complaint: String = "") {
        self.kind = kind
        sentence = description
        self.complaint = complaint
    }

    /// The sentence, and the last words.
    var description: String {
        if complaint.isEmpty { return sentence }
        return "\(sentence): \(complaint.utf8.count > 600 ? String(complaint.suffix(600)) : complaint)"
    }
}

/// Runs programs beside the agent: for credentials that a command prints.
enum ChildProcess {
    /// Runs `command` to its end and returns what it wrote to standard output.
    ///
    /// It gets a session of its own without a terminal, an empty standard input, and no descriptor but the three. It is
    /// over when its first process has exited; what that has left behind in its process group is killed then. So a
    /// descendant that keeps standard output open delays nothing.
    ///
    /// It is not tied to the agent's own life: PR_SET_PDEATHSIG (prctl(2)) goes by the thread that started the program,
    /// not by the process, and that thread ends when it has had nothing else to do for a while. systemd ends what a
    /// service leaves behind.
    ///
    /// To be called on `loop`. The program is started on another thread, and waited for by the loop without one. When
    /// the task is cancelled the program is ended as at its time limit.
    static func run(_ command: ChildCommand, on loop: EventLoop) async throws(ChildFailure) -> Secret {
        let started = await EventLoop.offload { StartedChild.start(command) }
        let parker = Parker(on: loop)
        let child = try RunningChild(started.get(), command, loop, parker)
        let failure = await parker.wakingAtCancellation { await finish(child, command, loop, parker) }
        child.leave()
        if let failure { throw failure }
        return try child.result()
    }

    private static func finish(
        _ child: RunningChild, _ command: ChildCommand, _ loop: EventLoop, _ parker: Parker
    ) async -> ChildFailure? {
        let deadline = SystemClock.monotonic().advanced(by: command.timeLimit)
        while child.exit == nil, !child.hasOverflowed, deadline > SystemClock.monotonic(), !Task.isCancelled {
            _ = await parker.park(until: deadline)
        }
        if child.exit != nil, !child.hasOverflowed { return nil }
        child.signalGroup(.terminate)
        let last = SystemClock.monotonic().advanced(by: command.grace)
        while child.exit == nil, last > SystemClock.monotonic() { _ = await parker.park(until: last) }
        // Made now: on its way out a program often says what it was waiting for.
        let failure = child.hasOverflowed ? child.overflow : Task.isCancelled ? child.cancellation : child.overrun
        child.signalGroup(.kill)
        // Nothing keeps it from dying now but an uninterruptible call; then it is reaped later, by nobody waiting.
        let end = SystemClock.monotonic().advanced(by: .milliseconds(500))
        while child.exit == nil, end > SystemClock.monotonic() { _ = await parker.park(until: end) }
        return failure
    }
}

extension Int64 {
    fileprivate func advanced(by duration: Duration) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(duration.nanoseconds)
        return overflow ? .max : sum
    }
}
