// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import FoundationEssentials
import Glibc
import Testing

@testable import AgentCore

// These change the test process itself, each in a way that no other test minds.
@Suite(.serialized) struct HostProcessTests {
    @Test func `steering signals are read from the descriptor in place of their effect`() throws {
        // On a thread of its own: only a thread's own mask can be changed, and a signal sent to a thread stays there.
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { _ in
                HostSignals.takeOver()
                if let signals = try? HostSignals() {
                    let before = signals.next()
                    for signal in [SIGTERM, SIGHUP, SIGINT] { pthread_kill(pthread_self(), signal) }
                    let seen = [signals.next(), signals.next(), signals.next()].compactMap { $0 }
                    let isRight = before == nil && Set(seen) == Set(HostSignal.allCases) && signals.next() == nil
                    return unsafe UnsafeMutableRawPointer(bitPattern: isRight ? 1 : 2)
                }
                return nil
            }, nil)
        #expect(code == 0)
        var result: UnsafeMutableRawPointer?
        let joined = unsafe pthread_join(thread, &result)
        #expect(joined == 0)
        let answer = UInt(bitPattern: result)
        #expect(answer == 1)
    }

    @Test func `the process can be made to leave no dump`() async {
        await #expect(processExitsWith: .success) {
            try HostProcess.forbidDumps()
            try #require(clinux_get_dumpable() == 0)
            var limit = rlimit()
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
            try #require(limit.rlim_cur == 0 && limit.rlim_max == 0)
        }
    }

    @Test func `the limit of open descriptors is raised as far as it goes`() throws {
        let now = try HostProcess.raiseDescriptorLimit()
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(limit.rlim_cur == limit.rlim_max)
        #expect(now == UInt64(limit.rlim_max))
    }
    @Test(arguments: [0, 1, 5000, UInt64.max])
    func `the table of descriptors is widened as far as the limit goes`(_ count: UInt64) async {
        await #expect(processExitsWith: .success) { [count] in
            let limit = try HostProcess.raiseDescriptorLimit()
            try HostProcess.widenDescriptorTable(to: count)
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("FDSize:") })
            let size = try #require(UInt64(line.dropFirst(7).filter(\.isNumber)))
            try #require(size >= min(count, limit))
            // Nothing is left open for it.
            let last = Int32(clamping: max(1, min(count, limit)) - 1)
            try #require(last <= STDERR_FILENO || fcntl(last, F_GETFD) == -1)
        }
    }
}
