// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// A process that has just been started, and our ends of its pipes.
struct StartedChild: Sendable {
    let pid: pid_t
    /// pidfd_open(2), and the read ends of the pipes. Their owner is who takes them.
    let handle: Int32
    let output: Int32
    let errors: Int32

    /// Starts the program; blocks until it has replaced this process's image or failed to.
    static func start(_ command: ChildCommand) -> Result<StartedChild, ChildFailure> {
        do throws(ChildFailure) {
            let path = try Executable.find(command)
            do throws(SystemError) {
                return .success(try start(command, path))
            } catch {
                throw ChildFailure(
                    kind: .notStarted(error.code), description: "command \"\(command.name)\" not started: \(error)")
            }
        } catch {
            return .failure(error)
        }
    }

    private static func start(_ command: ChildCommand, _ path: String) throws(SystemError) -> StartedChild {
        let input = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemError("open", on: "/dev/null") }
        let null = try Descriptor(owning: input).aboveStandard()
        let output = try Pipe()
        let errors = try Pipe()

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, null.raw, STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output.writeEnd.raw, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.writeEnd.raw, STDERR_FILENO)
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        if let folder = command.workingDirectory {
            unsafe posix_spawn_file_actions_addchdir_np(&actions, folder)
        }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        // The agent blocks its steering signals and ignores SIGPIPE; a program expects neither.
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(Int32(CLINUX_POSIX_SPAWN_SETSID) | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var pid = pid_t()
        let arguments = CStrings(command.arguments)
        let environment = CStrings(
            command.environment.filter { command.secrets[$0.key] == nil }.map { "\($0.key)=\($0.value)" },
            command.secrets)
        let code = unsafe posix_spawn(&pid, path, &actions, &attributes, arguments.pointers, environment.pointers)
        guard code == 0 else { throw SystemError("posix_spawn", code: code, on: path) }
        // The number is the child's own until it is reaped, which nobody else does.
        let handle = pidfd_open(pid, 0)
        guard handle >= 0 else {
            let error = SystemError("pidfd_open")
            kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw error
        }
        return StartedChild(
            pid: pid, handle: handle, output: output.releaseReadEnd(), errors: errors.releaseReadEnd())
    }
}

/// A pipe whose read end does not block; neither end is inherited.
private struct Pipe: ~Copyable {
    private let readEnd: Descriptor
    let writeEnd: Descriptor

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { throw SystemError("pipe2") }
        let first = Descriptor(owning: ends[0])
        let second = Descriptor(owning: ends[1])
        guard fcntl(first.raw, F_SETFL, O_NONBLOCK) == 0 else { throw SystemError("fcntl") }
        writeEnd = try second.aboveStandard()
        readEnd = first
    }

    consuming func releaseReadEnd() -> Int32 {
        readEnd.release()
    }
}

extension Descriptor {
    /// The same under a number above 2, so that giving a child its standard descriptors in turn overwrites none of
    /// their sources. Only a process started without them ever needs it.
    fileprivate consuming func aboveStandard() throws(SystemError) -> Descriptor {
        if raw > STDERR_FILENO { return self }
        let moved = fcntl(raw, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        guard moved >= 0 else { throw SystemError("fcntl") }
        return Descriptor(owning: moved)
    }
}

/// A list of strings as `char *const []`, overwritten when it goes.
@safe
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private var lengths: [Int] = []

    /// - Parameter secrets: stand behind the strings as `NAME=value`, and are copied nowhere else.
    init(_ strings: [String], _ secrets: [String: Secret] = [:]) {
        unsafe pointers = .allocate(capacity: strings.count + secrets.count + 1)
        for string in strings { append(string, nil) }
        for (name, secret) in secrets { append(name + "=", secret) }
        unsafe pointers[lengths.count] = nil
    }

    private func append(_ start: String, _ end: Secret?) {
        let count = start.utf8.count + (end?.count ?? 0)
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: count + 1)
        for (place, byte) in start.utf8.enumerated() { unsafe text[place] = CChar(bitPattern: byte) }
        end?.withExposedBytes { bytes in
            for place in bytes.indices { unsafe text[start.utf8.count + place] = CChar(bitPattern: bytes[place]) }
        }
        unsafe text[count] = 0
        unsafe pointers[lengths.count] = text
        lengths.append(count)
    }

    deinit {
        for (place, count) in lengths.enumerated() {
            guard let text = unsafe pointers[place] else { continue }
            unsafe explicit_bzero(text, count)
            unsafe text.deallocate()
        }
        unsafe pointers.deallocate()
    }
}

/// Where a program is found: execvp(3), but by the PATH that the program itself will see.
private enum Executable {
    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    static func find(_ command: ChildCommand) throws(ChildFailure) -> String {
        guard let program = command.arguments.first, !program.isEmpty else {
            throw ChildFailure(kind: .notStarted(EINVAL), description: "the command is empty; name a program")
        }
        let texts = command.arguments + command.environment.flatMap { [$0.key, $0.value] }
        let areSecretsWhole = command.secrets.allSatisfy { name, secret in
            !name.utf8.contains(0) && secret.withExposedBytes { bytes in bytes.indices.allSatisfy { bytes[$0] != 0 } }
        }
        guard areSecretsWhole, texts.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw ChildFailure(
                kind: .notStarted(EINVAL), description: "command \"\(command.name)\" has a NUL in an argument")
        }
        if program.contains("/") { return program }
        let path = command.environment["PATH"] ?? defaultPath
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(program)"
            var status = stat()
            if unsafe stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                unsafe access(candidate, X_OK) == 0
            {
                return candidate
            }
        }
        throw ChildFailure(
            kind: .notStarted(ENOENT),
            description: "command \"\(command.name)\" is not found in PATH (\(String(printing: path)));"
                + " give its full path")
    }
}
