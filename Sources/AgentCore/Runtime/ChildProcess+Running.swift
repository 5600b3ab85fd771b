// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// A process under way: its pipes are emptied and its exit is reaped at the loop's events, whoever waits.
///
/// ## Concurrency
/// Confined to the loop. The loop keeps it alive until the process has been reaped, so that none stays a zombie even
/// when its caller has left.
final class RunningChild: EventTarget {
    /// How it ended: wait(2)'s status, once it is reaped.
    private(set) var exit: Int32?
    /// It wrote more than it may.
    private(set) var hasOverflowed = false

    enum GroupSignal {
        case terminate
        case kill
    }

    private let command: ChildCommand
    private let loop: EventLoop
    private var parker: Parker?
    private let pid: pid_t
    private var sources: [Source]
    private var output: ByteBuffer
    /// The last of what it wrote to standard error, for a sentence.
    private var complaint: [UInt8] = []
    private static let complaintLimit = 4096

    private struct Source {
        let descriptor: Int32
        let kind: Kind
        let registration: RegistrationID
    }

    private enum Kind {
        case exit, output, errors
    }

    init(_ started: StartedChild, _ command: ChildCommand, _ loop: EventLoop, _ parker: Parker) throws(ChildFailure) {
        self.command = command
        self.loop = loop
        self.parker = parker
        pid = started.pid
        sources = []
        // One piece from the start: a buffer that grows leaves copies of a secret behind.
        output = ByteBuffer(capacity: max(1, command.outputLimit) + 1)
        let all: [(Int32, Kind)] = [
            (started.output, .output), (started.errors, .errors), (started.handle, .exit),
        ]
        for (place, (descriptor, kind)) in all.enumerated() {
            do {
                let id = try loop.register(descriptor, events: EPOLLIN.rawValue, target: self)
                sources.append(Source(descriptor: descriptor, kind: kind, registration: id))
            } catch {
                for (rest, _) in all[place...] { close(rest) }
                abandonAtStart()
                throw ChildFailure(
                    kind: .notStarted(error.code), description: "command \"\(command.name)\" not watched: \(error)")
            }
        }
    }

    /// Without a way to hear of its end the process is ended here and now; SIGKILL takes effect at once.
    private func abandonAtStart() {
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
        for source in sources { end(source) }
    }

    /// The caller waits no more.
    func leave() {
        parker = nil
    }

    func signalGroup(_ signal: GroupSignal) {
        guard exit == nil else { return }
        kill(-pid, signal == .kill ? SIGKILL : SIGTERM)
    }

    // MARK: Events

    // Level-triggered: a program that writes without end gets one read a turn, and the loop's others theirs.

    func eventsArrived(_ events: UInt32) {
        // Which of the three it was is not worth knowing: each is asked, and answers at once.
        for source in sources where !isOpen(source) { end(source) }
        reap()
        parker?.unpark()
    }

    private func reap() {
        guard exit == nil else { return }
        var info = unsafe siginfo_t()
        // Looks without reaping: as long as the first process is a zombie, no other group can have its number.
        guard unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0, unsafe info.si_signo == SIGCHLD
        else {
            return
        }
        kill(-pid, SIGKILL)
        // Its last words are in the pipes already, and a pipe holds no more than 64 KiB unless it is made to.
        for source in sources {
            var reads = 0
            while reads < 64, isOpen(source), hasMore { reads += 1 }
        }
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, 0) == pid else { return }
        exit = status
        for source in sources { end(source) }
    }

    private func end(_ source: Source) {
        sources.removeAll { $0.descriptor == source.descriptor }
        loop.deregister(source.registration)
        close(source.descriptor)
    }

    /// Whether the last read found something.
    private var hasMore = false

    /// Reads once; false when no more is to be had from it for ever.
    private func isOpen(_ source: Source) -> Bool {
        let count =
            switch source.kind {
            case .exit: -1
            case .output: unsafe output.fill { unsafe read(source.descriptor, $0.baseAddress, $0.count) }
            case .errors: readComplaint(source.descriptor)
            }
        hasMore = count > 0
        if source.kind == .output, output.count > command.outputLimit {
            hasOverflowed = true
            return false
        }
        return count != 0
    }

    private func readComplaint(_ descriptor: Int32) -> Int {
        var piece = [UInt8](repeating: 0, count: Self.complaintLimit)
        let count = unsafe read(descriptor, &piece, piece.count)
        if count > 0 {
            complaint += piece[..<count]
            complaint.removeFirst(max(0, complaint.count - Self.complaintLimit))
        }
        return count
    }

    // MARK: Results

    /// What it printed; a failure unless it exited with status 0.
    func result() throws(ChildFailure) -> Secret {
        let secret = Secret(copying: output.readable)
        output.consumeWiping(output.count)
        guard let exit else { throw overrun }
        let signal = exit & 0x7F
        if signal != 0 {
            throw ChildFailure(
                kind: .killed(signal: signal),
                description: "command \"\(command.name)\" was ended by signal \(signal)",
                complaint: words)
        }
        let code = exit >> 8 & 0xFF
        guard code == 0 else {
            throw ChildFailure(
                kind: .exited(code), description: "command \"\(command.name)\" exited with status \(code)",
                complaint: words)
        }
        return secret
    }

    var overflow: ChildFailure {
        ChildFailure(
            kind: .tooMuchOutput,
            description: "command \"\(command.name)\" wrote more than \(command.outputLimit) bytes;"
                + " it should print a credential and nothing else")
    }

    var overrun: ChildFailure {
        ChildFailure(
            kind: .timedOut,
            description: "command \"\(command.name)\" did not end within \(command.timeLimit) and was stopped",
            complaint: words)
    }

    var cancellation: ChildFailure {
        ChildFailure(kind: .cancelled, description: "command \"\(command.name)\" was stopped, its result is not wanted")
    }

    private var words: String {
        String(printing: complaint, limit: Self.complaintLimit)
    }

    deinit {
        output.consumeWiping(output.count)
    }
}
