// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> Int32
) -> Int32

/// `Fuzz TARGET [LIBFUZZER OPTION OR CORPUS]...`: hands libFuzzer's inputs to one target; without arguments, their names.
///
/// One program for all targets, since each would be the whole library again, built and linked with its own sanitizer.
@main
enum Fuzz {
    /// libFuzzer calls a C function, which can capture nothing. Written once, before the first call.
    nonisolated(unsafe) private static var target: Target = { _ in }

    static func main() {
        guard CommandLine.arguments.count > 1 else {
            for name in targets.keys.sorted() { print(name) }
            return
        }
        let name = CommandLine.arguments[1]
        guard let target = targets[name] else {
            print("Fuzz: no target \"\(name)\"; there are: \(targets.keys.sorted().joined(separator: ", "))")
            exit(64)
        }
        unsafe self.target = target
        // libFuzzer takes the arguments behind the target's name; it keeps argv[0] for its own messages.
        var count = CommandLine.argc - 1
        var arguments = unsafe CommandLine.unsafeArgv + 1
        let status = unsafe runDriver(&count, &arguments) { start, count in
            unsafe Fuzz.target(Span(_unsafeStart: start, count: count))
            return 0
        }
        exit(status)
    }
}
