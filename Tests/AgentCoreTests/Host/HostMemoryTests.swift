// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

struct HostMemoryTests {
    @Test func `what is given back is of files, and comes back when it is needed`() {
        let before = HostMemory.cleanMappings()
        #expect(!before.isEmpty)
        HostMemory.releaseUnused()
        // Text and tables of the program and its libraries were just unmapped: whatever runs has fetched them again.
        #expect("a,b".split(separator: ",").map { $0.uppercased() } == ["A", "B"])
        #expect(HTTPStatus.reason(200).description == "OK")
    }
}
