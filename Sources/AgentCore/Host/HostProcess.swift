// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// What the agent asks of the kernel for its own process, once, at the start.
enum HostProcess {
    /// No core dump, no report of a crash, and no ptrace(2) or /proc/PID/mem by other processes of the same user: the memory holds secrets.
    static func forbidDumps() throws(SystemError) {
        guard clinux_set_dumpable(0) == 0 else { throw SystemError("prctl", on: "PR_SET_DUMPABLE") }
        // For the time after an execve(2), which makes a process dumpable again.
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else {
            throw SystemError("setrlimit", on: "RLIMIT_CORE")
        }
        // Swift's report of a crash (SWIFT_BACKTRACE) shows registers and memory; where another process may not look
        // into this one, as from now on, it waits for ever besides, and nobody would start the agent anew.
        for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] { _ = signal(number, SIG_DFL) }
    }

    /// Fills the places of standard streams that were closed when the process began: the next socket would take the
    /// number 2, and the log would be written to whoever is at its other end. Writing to a filled place fails.
    ///
    /// To be called before anything is opened.
    static func holdStandardStreams() {
        // Numbers are given out from the lowest: the loop ends with the first that is no standard stream.
        while true {
            let raw = unsafe open("/dev/null", O_RDONLY)
            guard raw >= 0, raw <= STDERR_FILENO else {
                if raw >= 0 { close(raw) }
                return
            }
        }
    }

    /// Ends the process, with no handler of atexit(3): OpenSSL's would take away what a thread that still reads a
    /// certificate uses, and the end would be a crash.
    static func exit(with status: Int32) -> Never {
        #if RECORDS_PROFILE
            // Such a handler writes what was recorded.
            Glibc.exit(status)
        #else
            fflush(nil)
            _exit(status)
        #endif
    }

    /// The effective user.
    static var userID: UInt32 { geteuid() }

    /// The environment as it was handed over. Values may be secrets: not to be printed.
    static var environment: [String: String] {
        var variables: [String: String] = [:]
        var next = unsafe clinux_environment()
        while let entry = unsafe next?.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe next = next?.advanced(by: 1)
        }
        return variables
    }

    /// Makes the folder of a socket path if it is missing, open to all: who may connect is decided by the socket.
    static func makeFolder(ofSocket path: String) throws(SystemError) {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return }
        let folder = String(path[..<slash])
        if unsafe mkdir(folder, 0o755) != 0, errno != EEXIST { throw SystemError("mkdir", on: folder) }
    }

    /// One data loop a processor that this process may run on, four at most: they serve I/O, not computation.
    static var defaultThreadCount: Int {
        // Room for 1024 processors, as in cpu_set_t.
        var mask = [UInt](repeating: 0, count: 16)
        guard unsafe sched_getaffinity(0, UInt(mask.count * MemoryLayout<UInt>.size), &mask) >= 0 else { return 1 }
        let processors = mask.reduce(0) { $0 + $1.nonzeroBitCount }
        return min(max(1, processors), 4)
    }

    /// Raises the soft limit of open descriptors to the hard one. Children inherit it.
    ///
    /// - Returns: how many descriptors may be open now.
    @discardableResult
    static func raiseDescriptorLimit() throws(SystemError) -> UInt64 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemError("getrlimit", on: "RLIMIT_NOFILE")
        }
        guard limit.rlim_cur < limit.rlim_max else { return UInt64(limit.rlim_cur) }
        limit.rlim_cur = limit.rlim_max
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemError("setrlimit", on: "RLIMIT_NOFILE")
        }
        return UInt64(limit.rlim_cur)
    }
    /// Raises the limit of open descriptors, and makes the kernel's table of them large enough for `count`, or as many as
    /// the limit allows. To be called while there is one thread.
    ///
    /// The kernel doubles a table that is full, and in a process of several threads waits for an RCU grace period each
    /// time (`expand_files`): milliseconds in which a loop that accepts a connection does nothing else. With 9,800 streams
    /// the calls that piled up meanwhile were the slowest percent of all. Costs 8 bytes a descriptor, of the kernel's.
    static func widenDescriptorTable(to count: UInt64) throws(SystemError) {
        let number = try min(count, raiseDescriptorLimit())
        guard number > 0 else { return }
        // The table stays as large as its largest number has ever made it.
        let last = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, Int32(clamping: number - 1))
        guard last >= 0 else { throw SystemError("fcntl", on: "F_DUPFD_CLOEXEC") }
        close(last)
    }
}
