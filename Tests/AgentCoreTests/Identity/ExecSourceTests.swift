// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite(.timeLimit(.minutes(2))) struct ExecSourceTests {
    private static func fetch(_ spec: ExecSpec) async throws -> Result<SourceValue, CredentialFailure> {
        try await LoopActor.with { _, loop, _ in
            do throws(CredentialFailure) {
                return .success(try await ExecSource(spec: spec, loop: loop).fetch())
            } catch {
                return .failure(error)
            }
        }
    }

    private static func shell(_ script: String, field: FieldSpec = .raw) -> ExecSpec {
        ExecSpec(command: ["/bin/sh", "-c", script], field: field)
    }

    @Test(arguments: [
        ("printf 'tok-1\\n'", FieldSpec.raw, nil),
        ("echo noise >&2; echo tok-1", .raw, nil),
        (
            #"echo '{"kind":"ExecCredential","status":{"token":"tok-1","expirationTimestamp":"2027-01-15T08:00:00Z"}}'"#,
            .json(token: "/status/token", expiry: "/status/expirationTimestamp"),
            SourceValue.Expiry.at(.seconds(1_800_000_000))
        ),
        (
            #"echo '{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"s","SessionToken":"tok-1","Expiration":"2027-01-15T09:00:00+01:00"}'"#,
            .json(token: "/SessionToken", expiry: "/Expiration"), .at(.seconds(1_800_000_000))
        ),
        (
            #"echo '{"version":1,"success":true,"id_token":"tok-1","expiration_time":1800000000}'"#,
            .json(token: "/id_token", expiry: "/expiration_time"), .at(.seconds(1_800_000_000))
        ),
        (
            #"echo '{"access_token":"tok-1","expires_in":"300"}'"#,
            .json(token: "/access_token", expiry: "/expires_in"), .after(.seconds(300))
        ),
        ("printf 'username=x\\npassword=tok-1\\n'", .dotenv(key: "password"), nil),
    ])
    func `a token is taken out of what a command prints`(
        script: String, field: FieldSpec, expiry: SourceValue.Expiry?
    ) async throws {
        let value = try await Self.fetch(Self.shell(script, field: field)).get()
        #expect(TestToken.text(value.secret) == "tok-1")
        #expect(value.expiry == expiry)
    }

    @Test func `a command is found on the agent's PATH and sees little of its environment`() async throws {
        let folder = ScratchFolder()
        var spec = ExecSpec(command: ["env"], field: .dotenv(key: "GIVEN"))
        let file = folder.write("from-file\n", to: "value")
        spec.environment = ["GIVEN": .file(path: file), "PLAIN": .literal("two words")]
        let given = try await Self.fetch(spec).get()
        #expect(TestToken.text(given.secret) == "from-file")
        folder.write("replaced\n", to: "value")
        let replaced = try await Self.fetch(spec).get()
        #expect(TestToken.text(replaced.secret) == "replaced")
        let names =
            "env | cut -d= -f1 | grep -vxE 'PATH|HOME|LANG|USER|LOGNAME|TMPDIR|XDG_RUNTIME_DIR|PWD|SHLVL|_' | tr '\\n' ,"
        let others = try await Self.fetch(Self.shell("\(names); echo end")).get()
        #expect(TestToken.text(others.secret) == "end")
    }

    @Test func `a command that stands on a PATH of its own is found there`() async throws {
        let folder = ScratchFolder()
        folder.write("#!/bin/sh\necho tok-2\n", to: "mint", mode: 0o700)
        var spec = ExecSpec(command: ["mint"])
        spec.environment = ["PATH": .literal(folder.path)]
        let value = try await Self.fetch(spec).get()
        #expect(TestToken.text(value.secret) == "tok-2")
    }

    static let failures: [(String, FieldSpec, CredentialFailure)] = [
        (
            "echo tok-secret; echo 'not logged in; run login' >&2; exit 3", .raw,
            CredentialFailure(
                .refused,
                "command \"sh\" exited with status 3, saying \"not logged in; run login\"; run it by hand as the agent's user"
            )
        ),
        (
            "echo tok-secret; exit 1", .raw,
            CredentialFailure(
                .refused, "command \"sh\" exited with status 1; run it by hand as the agent's user")
        ),
        (
            "kill -SEGV $$", .raw,
            CredentialFailure(
                .refused, "command \"sh\" was ended by signal 11; see the kernel's log for who ended it")
        ),
        (
            ":", .raw,
            CredentialFailure(
                .empty, "command \"sh\": the value is empty; see whether the source is logged in, or what writes it")
        ),
        (
            ":", .json(token: "/t", expiry: nil),
            CredentialFailure(
                .empty, "command \"sh\": the source answered with nothing; JSON was expected")
        ),
        (
            "echo Your token is tok-secret", .raw,
            CredentialFailure(
                .malformed,
                "command \"sh\": the value has a space at byte 5 of 24, which no credential may have;"
                    + " see whether the source prints more than the token")
        ),
        (
            #"echo '{"success":false,"code":"401","message":"tok-secret"}'"#, .json(token: "/id_token", expiry: nil),
            CredentialFailure(
                .malformed,
                "command \"sh\": the answer has nothing at /id_token, where the token should be; "
                    + "see field in its configuration, and what the source prints")
        ),
        (
            "while :; do echo tok-secret; done", .raw,
            CredentialFailure(
                .malformed,
                "command \"sh\" wrote more than 1048576 bytes; it should print a credential and nothing else")
        ),
    ]

    @Test(arguments: failures.indices)
    func `a command without a token is told in one sentence`(index: Int) async throws {
        let (script, field, expected) = Self.failures[index]
        guard case .failure(let failure) = try await Self.fetch(Self.shell(script, field: field)) else {
            return #expect(Bool(false), "accepted")
        }
        #expect(failure == expected)
    }

    @Test func `a command that cannot be started is told`() async throws {
        let folder = ScratchFolder()
        let plain = folder.write("tok", to: "plain", mode: 0o600)
        for (command, sentence) in [
            (
                "gateway-agent-no-such-tool",
                "command \"gateway-agent-no-such-tool\" is not found in PATH (/usr/bin); give its full path;"
                    + " see whether it is installed and the agent's user may run it"
            ),
            (
                folder.path("none"),
                "command \"none\" not started: posix_spawn \(folder.path)/none: No such file or directory;"
                    + " see whether it is installed and the agent's user may run it"
            ),
            (
                plain,
                "command \"plain\" not started: posix_spawn \(plain): Permission denied;"
                    + " see whether it is installed and the agent's user may run it"
            ),
        ] {
            var spec = ExecSpec(command: [command, "hidden-argument"])
            spec.environment = ["PATH": .literal("/usr/bin")]
            guard case .failure(let failure) = try await Self.fetch(spec) else {
                Issue.record("started \(command)")
                continue
            }
            #expect(failure == CredentialFailure(.unavailable, sentence))
        }
    }

    @Test func `a value of the environment that is not there is told before anything is started`() async throws {
        let folder = ScratchFolder()
        var spec = Self.shell("touch \(folder.path("ran")); echo x")
        spec.environment = ["KEY": .file(path: folder.path("none"))]
        guard case .failure(let failure) = try await Self.fetch(spec) else { return #expect(Bool(false)) }
        #expect(
            failure
                == CredentialFailure(
                    .unavailable,
                    "file \(folder.path("none")): No such file or directory; see the path, or create the file"))
        #expect(folder.read("ran") == nil)
    }

    @Test func `a command that hangs is ended at its limit, its children with it, and its last words are told`()
        async throws
    {
        let family = try ProcessFamily()
        var spec = Self.shell(
            family.script("echo 'open the browser at x' >&2; trap '' TERM; sleep 1000 & sleep 1000; sleep 1000"))
        // Long enough for it to speak beside all the other tests.
        spec.timeLimit = .seconds(8)
        guard case .failure(let failure) = try await Self.fetch(spec) else { return #expect(Bool(false)) }
        #expect(
            failure
                == CredentialFailure(
                    .timedOut,
                    "command \"sh\" did not end within 8.0 seconds and was stopped, saying \"open the browser at x\";"
                        + " see what it waits for, or raise timeout in its configuration"))
        try family.waitForEnd()
    }

    @Test func `a fetch that is cancelled ends the command at once`() async throws {
        let family = try ProcessFamily()
        try await LoopActor.with { actor, loop, _ in
            var spec = Self.shell(family.script("sleep 1000"))
            spec.timeLimit = .seconds(600)
            let source = ExecSource(spec: spec, loop: loop)
            let fetch = Task {
                _ = actor
                return try await source.fetch()
            }
            try await EventLoop.offload { Result { try family.waitForStart() } }.get()
            fetch.cancel()
            guard case .failure(let failure) = await fetch.result else { return #expect(Bool(false)) }
            #expect((failure as? CredentialFailure)?.kind == .timedOut)
        }
        try family.waitForEnd()
    }

    @Test func `what a command was given or complains of as a secret is in no sentence`() async throws {
        let folder = ScratchFolder()
        let token = TestToken.jwt(expires: 1_900_000_000)
        var spec = Self.shell(
            "printf %s \"$KEY\"; echo \"cannot use $KEY or $PLAIN: token \(token) of AKIAABCDEFGHIJKLMNOP refused\" >&2; exit 1"
        )
        spec.environment = [
            "KEY": .file(path: folder.write("hunter2-from-file\n", to: "key")),
            "PLAIN": .secret(TestToken.secret("hunter2-inline")),
        ]
        guard case .failure(let failure) = try await Self.fetch(spec) else { return #expect(Bool(false)) }
        #expect(
            failure.message
                == "command \"sh\" exited with status 1, saying \"cannot use [hidden] or [hidden]: token [hidden] of"
                + " [hidden] refused\"; run it by hand as the agent's user")
    }

    @Test func `no descriptor is left by whatever happens`() async {
        await #expect(processExitsWith: .success) {
            try await LoopActor.with { _, loop, _ in
                try await DescriptorCount.staysTheSame {
                    for round in 0..<6 {
                        var spec =
                            round % 3 == 0
                            ? ExecSpec(command: ["/nonexistent"]) : Self.shell("echo x; exit \(round % 2)")
                        if round == 5 {
                            spec = Self.shell("sleep 1000")
                            spec.timeLimit = .milliseconds(30)
                        }
                        _ = try? await ExecSource(spec: spec, loop: loop).fetch()
                    }
                }
            }
        }
    }
}
