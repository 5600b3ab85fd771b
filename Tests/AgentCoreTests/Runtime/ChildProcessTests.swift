// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct ChildProcessTests {
    private static func shell(_ script: String, _ change: (inout ChildCommand) -> Void = { _ in }) -> ChildCommand {
        var command = ChildCommand(arguments: ["/bin/sh", "-c", script])
        command.environment = ["PATH": "/usr/bin:/bin"]
        change(&command)
        return command
    }

    private static func run(_ command: ChildCommand) async throws -> Result<String, ChildFailure> {
        try await LoopActor.with { _, loop, _ in
            do throws(ChildFailure) {
                let secret = try await ChildProcess.run(command, on: loop)
                return .success(String(decoding: secret.exposed, as: UTF8.self))
            } catch {
                return .failure(error)
            }
        }
    }

    private static let hanging = shell("trap '' TERM; sleep 1000") {
        $0.timeLimit = .milliseconds(30)
        $0.grace = .milliseconds(10)
    }

    /// Whether a child has ended and was not reaped: wait(2). A sanitizer may have a child of its own, which lives.
    private static var hasZombies: Bool {
        var info = unsafe siginfo_t()
        return unsafe waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == SIGCHLD
    }

    private static func failure(of command: ChildCommand) async throws -> ChildFailure? {
        switch try await run(command) {
        case .success: nil
        case .failure(let failure): failure
        }
    }

    @Test func `standard output is the result, whatever it holds`() async throws {
        #expect(try await Self.run(Self.shell("printf 'a\\nb\\n'; echo noise >&2")) == .success("a\nb\n"))
        #expect(try await Self.run(Self.shell(":")) == .success(""))
    }

    @Test func `a program is found in the PATH it is given, and arguments are passed as they are`() async throws {
        var command = ChildCommand(arguments: ["printf", "%s|", "a b", "$HOME", "*", ""])
        command.environment = ["PATH": "/nowhere:/usr/bin:/bin"]
        #expect(try await Self.run(command) == .success("a b|$HOME|*||"))
    }

    @Test func `the environment is the one given and nothing else`() async throws {
        var command = ChildCommand(arguments: ["/usr/bin/env"])
        command.environment = ["ONE": "1 and more"]
        #expect(try await Self.run(command) == .success("ONE=1 and more\n"))
        command.secrets = ["ONE": TestToken.secret("hidden=1"), "TWO": TestToken.secret("")]
        command.arguments = ["/bin/sh", "-c", "/usr/bin/env | /usr/bin/sort"]
        let lines = try await Self.run(command).get().split(separator: "\n")
        #expect(lines.filter { !$0.hasPrefix("_=") && !$0.hasPrefix("PWD=") } == ["ONE=hidden=1", "TWO="])
    }

    @Test func `a program has three descriptors, its own session and the usual signals`() async throws {
        // ls itself opens the folder as one more.
        #expect(try await Self.run(ChildCommand(arguments: ["/bin/ls", "/proc/self/fd"])) == .success("0\n1\n2\n3\n"))
        #expect(try await Self.run(Self.shell("readlink /proc/self/fd/0")) == .success("/dev/null\n"))
        HostSignals.ignoreBrokenPipes()
        // Signals 1 to 28; the C library keeps some high ones for itself.
        let masks = try await Self.run(Self.shell("sed -nE 's/^Sig(Blk|Ign):.*(.{7})$/\\2/p' /proc/self/status"))
        #expect(masks == .success("0000000\n0000000\n"))
        let ids = try await Self.run(Self.shell("cut -d' ' -f1,5,6 /proc/$$/stat"))
        let numbers = Set(try ids.get().split { $0 == " " || $0 == "\n" })
        #expect(numbers.count == 1, "pid, group and session differ: \(ids)")
    }

    @Test func `the working directory can be chosen`() async throws {
        #expect(try await Self.run(Self.shell("pwd") { $0.workingDirectory = "/usr/bin" }) == .success("/usr/bin\n"))
    }

    @Test func `a status other than 0 is told with what was written to standard error`() async throws {
        let failure = try await Self.failure(
            of: Self.shell("echo secret; printf 'no login\\n\\033[1mrun it\\n' >&2; exit 3"))
        #expect(failure?.kind == .exited(3))
        #expect(failure?.description == "command \"sh\" exited with status 3: no login ?[1mrun it")
    }

    @Test func `of much that was written to standard error the end is told`() async throws {
        let script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done >&2; echo the end >&2; exit 1"
        let failure = try await Self.failure(of: Self.shell(script))
        #expect(failure?.kind == .exited(1))
        #expect(failure?.description.hasSuffix("0123456789 the end") == true)
        #expect((failure?.description.utf8.count ?? 0) < 800)
    }

    @Test func `a signal that ended it is told`() async throws {
        #expect(try await Self.failure(of: Self.shell("kill -SEGV $$"))?.kind == .killed(signal: SIGSEGV))
    }

    @Test func `more output than allowed ends it`() async throws {
        let failure = try await Self.failure(of: Self.shell("yes") { $0.outputLimit = 1000 })
        #expect(failure?.kind == .tooMuchOutput)
        let exact = try await Self.run(Self.shell("head -c 1000 /dev/zero | tr '\\0' x") { $0.outputLimit = 1000 })
        #expect(exact == .success(String(repeating: "x", count: 1000)))
    }

    @Test(arguments: [
        "sleep 1000",
        "trap '' TERM; while :; do sleep 1000; done",
        "sleep 1000 & sleep 1000 | cat",
        "trap '' TERM; (trap '' TERM; sleep 1000) & wait; sleep 1000",
    ])
    func `what does not end in time is ended, children with it`(script: String) async throws {
        let family = try ProcessFamily()
        let command = Self.shell(family.script(script)) {
            // Long enough for it to begin beside all the other tests.
            $0.timeLimit = .seconds(8)
            $0.grace = .milliseconds(100)
        }
        let failure = try await Self.failure(of: command)
        #expect(failure?.kind == .timedOut)
        try family.waitForEnd()
    }

    @Test func `a grandchild that keeps standard output open delays nothing, and is ended`() async throws {
        let family = try ProcessFamily()
        let script = family.script("trap '' HUP; sleep 1000 & echo token")
        #expect(try await Self.run(Self.shell(script)) == .success("token\n"))
        try family.waitForEnd()
    }

    @Test(arguments: [
        (["no-such-program-here"], "command \"no-such-program-here\" is not found in PATH"),
        (
            ["/nonexistent/tool", "hidden-argument"],
            "command \"tool\" not started: posix_spawn /nonexistent/tool: No such"
        ),
        (["/etc/passwd"], "command \"passwd\" not started: posix_spawn /etc/passwd: Permission denied"),
        ([], "the command is empty"), (["/bin/echo", "a\0b"], "has a NUL"),
    ])
    func `what cannot be started is told`(arguments: [String], sentence: String) async throws {
        let failure = try await Self.failure(of: ChildCommand(arguments: arguments))
        #expect(failure?.description.contains(sentence) == true, "\(failure?.description ?? "")")
        #expect(failure?.description.contains("hidden-argument") == false)
        guard case .notStarted = failure?.kind else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test func `no descriptor and no zombie is left`() async {
        await #expect(processExitsWith: .success) {
            try await LoopActor.with { _, loop, _ in
                try await DescriptorCount.staysTheSame {
                    for round in 0..<6 {
                        var command =
                            round % 3 == 0
                            ? ChildCommand(arguments: ["/nonexistent"]) : Self.shell("echo x; exit \(round % 2)")
                        if round == 5 { command = Self.hanging }
                        _ = try? await ChildProcess.run(command, on: loop)
                    }
                }
                // What was killed is reaped by the loop when the kernel tells of it.
                for _ in 0..<100_000 where Self.hasZombies { await EventLoop.offload {} }
                try #require(!Self.hasZombies)
            }
        }
    }
}
