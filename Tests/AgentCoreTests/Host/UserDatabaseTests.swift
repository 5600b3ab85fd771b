// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct UserDatabaseTests {
    @Test func `users and groups are found by number and by name`() throws {
        #expect(try UserDatabase.name(of: 0) == "root")
        #expect(try UserDatabase.uid(named: "root") == 0)
        #expect(try UserDatabase.groupName(of: 0) == "root")
        #expect(try UserDatabase.gid(named: "root") == 0)
    }

    @Test func `the groups of a user begin with the primary one and name none twice`() throws {
        let groups = try UserDatabase.groups(of: 0)
        #expect(groups.first == 0)
        #expect(Set(groups).count == groups.count)
    }

    @Test func `who is not known is nil, not an error`() throws {
        #expect(try UserDatabase.name(of: 4_000_000_123) == nil)
        #expect(try UserDatabase.groups(of: 4_000_000_123).isEmpty)
        #expect(try UserDatabase.uid(named: "no-such-user-here") == nil)
        #expect(try UserDatabase.gid(named: "no-such-group-here") == nil)
        #expect(try UserDatabase.groupName(of: 4_000_000_123) == nil)
    }

    @Test(arguments: ["", "root\0x"])
    func `a name that C would read as another is not looked up`(name: String) throws {
        #expect(try UserDatabase.uid(named: name) == nil)
        #expect(try UserDatabase.gid(named: name) == nil)
    }
}
