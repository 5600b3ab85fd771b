// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Asks the running agent, on its Unix socket if there is one, else on its port.
struct AgentClient: Sendable {
    private let places: [Place]
    private let startCommand: String

    fileprivate enum Place: Sendable {
        case unix(String)
        case tcp(ListenAddress)
    }

    /// Why there is no answer, and what to exit with.
    struct Failure: Error, Sendable {
        let exit: ExitCode
        let message: String
    }

    /// - Parameter files: nil for those that `address` or the user's surroundings name.
    init(_ address: ParsedCommand.AgentAddress, files: ConfigurationFiles? = nil) throws(Failure) {
        if let socket = address.socket {
            places = [.unix(socket)]
            startCommand = "systemctl start gateway-agent.socket"
            return
        }
        let listen: ListenSpec
        let files = files ?? CommandRunner.configurationFiles(address.configuration)
        do throws(ConfigurationProblems) {
            listen = try files.load().listen
        } catch {
            // The agent runs with what it read at its start; a file that was broken since, or that only the agent may
            // read, need not keep anybody from asking it.
            if address.configuration != nil { throw Failure(exit: .configuration, message: error.description) }
            listen = files.scope.defaultListen
        }
        startCommand = "systemctl \(files.scope == .system ? "" : "--user ")start gateway-agent.socket"
        places = (listen.unixPath.map { [.unix($0)] } ?? []) + listen.tcp.map { .tcp($0) }
    }

    /// - Parameter target: path and query.
    /// - Parameter patience: for the whole call; a token may have to be fetched first.
    func get(_ target: String, patience: Duration = .seconds(30)) throws(Failure) -> ClientAnswer {
        var reasons: [String] = []
        for place in places {
            guard let destination = place.target(target) else {
                throw Failure(exit: .usage, message: "\(place) cannot be called")
            }
            let result: Result<ClientAnswer, ClientCallFailure>
            do throws(SystemError) {
                result = try OneShot.run { loop in
                    do throws(ClientCallFailure) {
                        return .success(
                            try await ClientCall(target: destination, answerLimitBytes: 16 << 20).run(
                                on: loop, parker: Parker(on: loop), context: nil,
                                by: SystemClock.monotonic() + patience.nanoseconds))
                    } catch {
                        return .failure(error)
                    }
                }
            } catch {
                throw Failure(exit: .system, message: "\(error)")
            }
            switch result {
            case .success(let answer): return answer
            case .failure(let failure): reasons.append("\(place): \(failure)")
            }
        }
        let tried = reasons.isEmpty ? "the configuration names no listener" : reasons.joined(separator: "; ")
        throw Failure(
            exit: .unavailable,
            message: "the agent does not answer (\(tried)); start it with: \(startCommand), or "
                + "gateway-agent serve")
    }

    /// What an answer other than 200 says, as the agent writes its errors.
    static func failure(_ answer: ClientAnswer) -> Failure {
        let json = answer.content.withExposedBytes { bytes in
            try? JSONValue.decode(bytes, maximumDepth: 16)
        }
        let message = json?["error"]?["message"]?.stringValue ?? "the agent answered \(answer.status)"
        let exit: ExitCode =
            switch answer.status {
            case 403: .notPermitted
            case 400, 404: .usage
            case 503: .unavailable
            default: .protocolBroken
            }
        return Failure(exit: exit, message: message)
    }
}

extension AgentClient.Place: CustomStringConvertible {
    fileprivate func target(_ target: String) -> ClientTarget? {
        switch self {
        case .unix(let path): ClientTarget(unixPath: path, target: target)
        case .tcp(let address): ClientTarget(url: "http://\(address)\(target)")
        }
    }

    var description: String {
        switch self {
        case .unix(let path): path
        case .tcp(let address): address.description
        }
    }
}
