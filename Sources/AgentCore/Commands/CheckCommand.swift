// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// `gateway-agent check`: is the configuration right, and does every source give what it should?
enum CheckCommand {
    static func run(_ option: String?, offline: Bool) -> ExitCode {
        guard let (configuration, files) = CommandRunner.load(option) else { return .configuration }
        let parts = GatewayPlan.Parts(configuration)
        do throws(GatewayPlanProblems) {
            let plan = try GatewayPlan(parts, agentUID: HostProcess.userID)
            for warning in plan.warnings { CommandRunner.printError("warning: \(warning)") }
        } catch {
            for sentence in error.sentences { CommandRunner.printError(sentence) }
            return .configuration
        }
        let counts = [(configuration.credentials.count, "credential"), (configuration.routes.count, "route")]
        let summary = counts.map { "\($0) \($1)\($0 == 1 ? "" : "s")" }.joined(separator: ", ")
        let names = ((try? files.texts()) ?? []).map(\.file).joined(separator: ", ")
        if !offline, !configuration.credentials.isEmpty {
            let tried = tryAll(configuration.credentials.values.sorted { $0.name < $1.name })
            if tried != .success { return tried }
        }
        let asked = offline ? ", no source was asked" : ""
        return CommandRunner.printOutput("all is well\(asked): \(summary), read from \(names)")
    }

    /// Asks every source once, one after the other: what is told of one must not be confused with another's.
    private static func tryAll(_ specs: [CredentialSpec]) -> ExitCode {
        do throws(SystemError) {
            let results = try OneShot.run { loop in
                var results: [Finding] = []
                for spec in specs { results.append(await attempt(spec, on: loop)) }
                return results
            }
            var table = TextTable("CREDENTIAL", "SOURCE", "RESULT")
            for result in results {
                table.add(
                    TextTable.Cell(result.name), TextTable.Cell(result.source),
                    TextTable.Cell(result.sentence, result.isGood ? .good : .bad))
            }
            let printed = CommandRunner.outputEnd(
                StandardStream.output.write(table.rendered(isTerminal: CommandRunner.hasColours).utf8.span))
            return results.allSatisfy(\.isGood) ? printed : .unavailable
        } catch {
            CommandRunner.printError("\(error)")
            return .system
        }
    }

    struct Finding: Sendable {
        let name: String
        let source: String
        let isGood: Bool
        let sentence: String
    }

    /// Asks one source, as the agent would at first.
    static func attempt(_ spec: CredentialSpec, on loop: EventLoop) async -> Finding {
        func finding(_ isGood: Bool, _ sentence: String) -> Finding {
            Finding(name: spec.name, source: spec.source.kind, isGood: isGood, sentence: sentence)
        }
        do throws(CredentialFailure) {
            let value = try await CredentialSources.source(for: spec, on: loop).fetch()
            let now = SystemClock().now()
            let credential = try Credential(
                value, as: spec, generation: 1, at: now, policy: RenewalPolicy(), jitter: 0)
            let life = credential.expires.remaining(at: now)
            return finding(
                true, life >= .max / 2 ? "ok, without an end" : "ok, expires in \(ReadableDuration(life))")
        } catch {
            // Nobody asks again here.
            let words = error.message.firstRange(of: "; it is asked again").map { error.message[..<$0.lowerBound] }
            return finding(false, "\(error.code): \(words ?? error.message[...])")
        }
    }
}

/// Runs asynchronous work of a short-lived command: an event loop on the calling thread, for as long as it takes.
enum OneShot {
    static func run<Value: Sendable>(
        _ work: @escaping @Sendable (EventLoop) async -> Value
    ) throws(SystemError) -> Value {
        let loop = try EventLoop(name: "main")
        let actor = OneShotActor(on: loop)
        Task(executorPreference: loop) {
            await actor.run(work)
            loop.stop()
        }
        loop.run()
        guard let value: Value = actor.take() else { throw SystemError("run", code: 125) }
        return value
    }
}
