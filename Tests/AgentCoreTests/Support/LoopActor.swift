// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@testable import AgentCore

/// A loop on a thread of its own with an actor on it: where tests run code that is confined to a loop.
actor LoopActor {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    private init(_ loop: EventLoop) {
        self.loop = loop
    }

    /// Runs `body` on the loop with a parker of its own.
    func run<Value: Sendable>(
        _ body: @Sendable (isolated LoopActor, EventLoop, Parker) async throws -> Value
    ) async rethrows -> Value {
        try await body(self, loop, Parker(on: loop))
    }

    /// A fresh loop for the time of `body`.
    static func with<Value: Sendable>(
        _ body: @Sendable (isolated LoopActor, EventLoop, Parker) async throws -> Value
    ) async throws -> Value {
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer { loop.stop() }
        let actor = LoopActor(loop)
        return try await withTaskExecutorPreference(loop) { try await actor.run(body) }
    }
}

/// A value that tasks and threads of a test share.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) {
        mutex = Mutex(value)
    }

    var value: Value { mutex.withLock { $0 } }

    func update(_ body: (inout Value) -> Void) {
        mutex.withLock { body(&$0) }
    }
}

/// A folder that goes away with the test.
func withTemporaryFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    var template = Array("/tmp/gateway-agent-test-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { try? removeTree(path) }
    return try await body(path)
}

private func removeTree(_ path: String) throws {
    guard let directory = unsafe opendir(path) else {
        unsafe _ = unlink(path)
        return
    }
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        guard name != ".", name != ".." else { continue }
        var status = stat()
        let child = "\(path)/\(name)"
        if unsafe lstat(child, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            try removeTree(child)
        } else {
            unsafe _ = unlink(child)
        }
    }
    unsafe _ = closedir(directory)
    unsafe _ = rmdir(path)
}
