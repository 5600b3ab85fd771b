// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// What measures the agent and is no part of it: run by `make simulate` and by the benchmarks, never installed.
public enum Workbench {
    /// Ends the process with 0 if all that is claimed holds, 1 if not, 64 for words that are not understood.
    ///
    /// - Parameter arguments: the words of the command line, the program's name not among them.
    public static func run(_ arguments: [String]) -> Never {
        HostProcess.exit(with: status(arguments))
    }

    private static func status(_ arguments: [String]) -> Int32 {
        switch arguments.first {
        case "simulate" where arguments.count <= 2: return simulate(pictureAt: arguments.dropFirst().first)
        case "injection" where arguments.count == 2:
            guard let count = Int(arguments[1]), count > 0 else { return usage() }
            return InjectionBenchmark.run(count)
        default: return usage()
        }
    }

    private static func usage() -> Int32 {
        say("usage: workbench simulate [PICTURE.svg] | workbench injection COUNT\n")
        return 64
    }

    private static func simulate(pictureAt path: String?) -> Int32 {
        var run = FleetSimulation(FleetSimulation.Plan())
        run.run()
        let verdict = FleetVerdict(run)
        for claim in verdict.claims { say("\(claim.holds ? "holds" : "FAILS")  \(claim.text)\n") }
        if let path {
            do throws(SystemError) {
                try AtomicFile.write(FleetCurve(run: run, verdict: verdict).svg().utf8.span, to: path, mode: 0o644)
            } catch {
                say("the picture cannot be written: \(error)\n")
                return 1
            }
        }
        return verdict.holds ? 0 : 1
    }

    private static func say(_ text: String) {
        print(text, terminator: "")
    }
}
