// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension EventLoop {
    /// For the `unownedExecutor` of an actor that lives on this loop.
    ///
    /// Safe as long as the actor holds the loop, which it does when it is asked for its executor through a stored `let`.
    @safe
    nonisolated var executor: UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
}
