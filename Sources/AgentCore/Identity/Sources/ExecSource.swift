// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Runs a command and takes the token from what it prints.
///
/// No shell is involved, and of the agent's environment the command sees only where programs, its home and its language
/// are, and what the configuration gives it.
struct ExecSource: CredentialSource {
    let spec: ExecSpec
    let loop: EventLoop

    /// Taken over from the agent, if set there.
    static let inherited = ["PATH", "HOME", "LANG", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR"]

    func fetch() async throws(CredentialFailure) -> SourceValue {
        let spec = spec
        let prepared = try await EventLoop.offload { () -> Result<Prepared, CredentialFailure> in
            Result { () throws(CredentialFailure) in try Prepared(spec) }
        }.get()
        let output: Secret
        do throws(ChildFailure) {
            output = try await ChildProcess.run(prepared.command, on: loop)
        } catch {
            throw failure(error, prepared)
        }
        do throws(CredentialFailure) {
            return try output.withExposedBytes { bytes throws(CredentialFailure) in try spec.field.value(in: bytes) }
        } catch {
            throw CredentialFailure(error.kind, "command \"\(prepared.command.name)\": \(error.message)")
        }
    }

    /// The command with its environment, read anew.
    private struct Prepared: Sendable {
        var command: ChildCommand
        var words = ForeignWords()

        /// Blocks: reads files.
        init(_ spec: ExecSpec) throws(CredentialFailure) {
            command = ChildCommand(arguments: spec.command)
            command.timeLimit = spec.timeLimit
            command.outputLimit = spec.outputLimitBytes
            for name in ExecSource.inherited {
                command.environment[name] = Secret(environmentVariable: name).map { Self.text($0) }
            }
            for (name, value) in spec.environment {
                let secret = try value.resolved()
                if case .literal = value {
                    command.environment[name] = Self.text(secret)
                    continue
                }
                words.secrets.append(secret)
                // Where programs are is looked up here, and is no secret wherever it is read from.
                if name == "PATH" { command.environment[name] = Self.text(secret) }
                command.secrets[name] = secret
            }
        }

        private static func text(_ secret: Secret) -> String {
            secret.withExposedBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
        }
    }

    private func failure(_ failure: ChildFailure, _ prepared: Prepared) -> CredentialFailure {
        let (kind, repair): (CredentialFailure.Kind, String) =
            switch failure.kind {
            case .notStarted: (.unavailable, "; see whether it is installed and the agent's user may run it")
            case .exited: (.refused, "; run it by hand as the agent's user")
            case .killed: (.refused, "; see the kernel's log for who ended it")
            case .timedOut: (.timedOut, "; see what it waits for, or raise timeout in its configuration")
            case .tooMuchOutput: (.malformed, "")
            case .cancelled: (.timedOut, "")
            }
        let said = prepared.words.end(of: failure.complaint)
        return CredentialFailure(kind, failure.sentence + (said.isEmpty ? "" : ", saying \"\(said)\"") + repair)
    }
}
