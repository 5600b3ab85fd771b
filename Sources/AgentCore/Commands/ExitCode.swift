// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// How the program ends; the numbers of sysexits(3), which scripts and systemd(1) know.
enum ExitCode: Int32, Sendable, CaseIterable {
    case success = 0
    /// The command line is wrong.
    case usage = 64
    /// What was read makes no sense.
    case data = 65
    /// A file that was named is not there or cannot be read.
    case noInput = 66
    /// The agent does not run, or a credential cannot be had.
    case unavailable = 69
    /// A fault of this program.
    case software = 70
    /// The system refused something that should work: no thread, no socket.
    case system = 71
    case inputOutput = 74
    /// It may work when tried again.
    case temporary = 75
    /// The other end did not keep to the protocol.
    case protocolBroken = 76
    /// This user may not.
    case notPermitted = 77
    /// The configuration is wrong.
    case configuration = 78
}
