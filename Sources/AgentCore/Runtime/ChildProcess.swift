// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// A program to be run for what it prints.
struct ChildCommand: Sendable, Hashable {
    /// The program and its arguments, passed on as they are: there is no shell. A program without a slash is looked up
    /// in the PATH of `environment`.
    var arguments: [String]
    /// All that the program sees; nothing is inherited.
    var environment: [String: String] = [:]
    /// Default: the agent's own.
    var workingDirectory: String?
    /// After this the program is asked to end by SIGTERM. Default 30 s.
    var timeLimit: Duration = .seconds(30)
    /// Between SIGTERM and SIGKILL. Default 2 s.
    var grace: Duration = .seconds(2)
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
    }

    let kind: Kind
    let description: String
}

/// Runs programs beside the agent: for credentials that a command prints.
enum ChildProcess {
    /// Runs `command` to its end and returns what it wrote to standard output.
    ///
    /// It gets a session of its own without a terminal, an empty standard input, and no descriptor but the three. It is
    /// over when its first process has exited; what that has left behind in its process group is killed then. So a
    /// descendant that keeps standard output open delays nothing.
    ///
    /// To be called on `loop`. The program is started on another thread, and waited for by the loop without one. Task
    /// cancellation does not end it: the time limit does.
    static func run(_ command: ChildCommand, on loop: EventLoop) async throws(ChildFailure) -> Secret {
        let started = await EventLoop.offload { StartedChild.start(command) }
        let parker = Parker(on: loop)
        let child = try RunningChild(started.get(), command, loop, parker)
        let failure = await finish(child, command, loop, parker)
        child.leave()
        if let failure { throw failure }
        return try child.result()
    }

    private static func finish(
        _ child: RunningChild, _ command: ChildCommand, _ loop: EventLoop, _ parker: Parker
    ) async -> ChildFailure? {
        let deadline = SystemClock.monotonic().advanced(by: command.timeLimit)
        while child.exit == nil, !child.hasOverflowed, deadline > SystemClock.monotonic() {
            _ = await parker.park(until: deadline)
        }
        if child.exit != nil, !child.hasOverflowed { return nil }
        let failure = child.hasOverflowed ? child.overflow : child.overrun
        child.signalGroup(.terminate)
        let last = SystemClock.monotonic().advanced(by: command.grace)
        while child.exit == nil, last > SystemClock.monotonic() { _ = await parker.park(until: last) }
        // Exit is reaped whenever it comes, also by nobody waiting: a process in an uninterruptible call dies late.
        child.signalGroup(.kill)
        return failure
    }
}

extension Int64 {
    fileprivate func advanced(by duration: Duration) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(duration.nanoseconds)
        return overflow ? .max : sum
    }
}
