// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

/// Who may call, the same on both listeners; and the agent's own endpoints.
@Suite(.timeLimit(.minutes(1)))
struct AccessTests {
    static let stranger: UInt32 = 64_321

    /// Status and content that another user gets, by curl in a process of its own.
    static func call(
        as uid: UInt32, gid: UInt32 = 64_321, _ path: String, of agent: AgentUnderTest, isUnix: Bool,
        to folder: ScratchFolder
    ) throws -> String {
        let file = folder.write("", to: "answer-\(uid)-\(isUnix)", mode: 0o666)
        unsafe chmod(file, 0o666)
        unsafe chmod(folder.path, 0o755)
        let target = isUnix ? "--unix-socket \(agent.unix.unixPath ?? "") http://localhost" : "http://\(agent.tcp)"
        let command =
            "setpriv --reuid \(uid) --regid \(gid) --clear-groups curl -s -m 20 -w '%{http_code}' -o - \(target)\(path) > \(file)"
        let status = run(command)
        guard status == 0 else { throw SystemError("curl", code: status) }
        return folder.read("answer-\(uid)-\(isUnix)") ?? ""
    }

    private static func run(_ command: String) -> Int32 {
        var pid = pid_t()
        var arguments = unsafe (["/bin/sh", "-c", command] as [String]).map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        guard unsafe posix_spawn(&pid, "/bin/sh", nil, nil, &arguments, environ) == 0 else { return -1 }
        var status: Int32 = 0
        unsafe waitpid(pid, &status, 0)
        return status
    }

    @Test(.enabled(if: getuid() == 0), arguments: [false, true])
    func `a user who is on no list is refused by name, and nothing goes upstream`(isUnix: Bool) async throws {
        try await withGateway { agent, upstream in
            for path in ["/api/", "/-/status", "/-/metrics", "/-/token/token"] {
                let text = try Self.call(as: Self.stranger, path, of: agent, isUnix: isUnix, to: ScratchFolder())
                #expect(text.hasSuffix("403"), "\(text)")
                #expect(text.contains("uid \(Self.stranger)"))
                #expect(text.contains("nobody but root"))
                #expect(!text.contains(Marker.token))
            }
            #expect(!upstream.isCalled)
        }
    }

    @Test(.enabled(if: getuid() == 0), arguments: [false, true])
    func `a listed user is served, and another is not`(isUnix: Bool) async throws {
        try await withGateway(route: { $0.allow = AllowSpec(users: [.id(Self.stranger)]) }) { agent, upstream in
            upstream.serve { server in
                while true {
                    _ = try server.head()
                    try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                }
            }
            let folder = ScratchFolder()
            let listed = try Self.call(as: Self.stranger, "/api/", of: agent, isUnix: isUnix, to: folder)
            #expect(listed == "ok200")
            let other = try Self.call(as: Self.stranger + 1, "/api/", of: agent, isUnix: isUnix, to: folder)
            #expect(other.hasSuffix("403"))
            // The list of the route is not that of the agent's own endpoints.
            let status = try Self.call(as: Self.stranger, "/-/status", of: agent, isUnix: isUnix, to: folder)
            #expect(status.hasSuffix("403"))
        }
    }

    @Test(.enabled(if: getuid() == 0), arguments: [false, true])
    func `membership in a listed group counts by the user database, not by the process`(isUnix: Bool) async throws {
        // daemon (uid 1) is in the group daemon (gid 1) everywhere.
        try await withGateway({ configuration, _ in configuration.allow = AllowSpec(groups: [.name("daemon")]) }) {
            agent, _ in
            let folder = ScratchFolder()
            let text = try Self.call(as: 1, gid: 64_321, "/-/healthy", of: agent, isUnix: isUnix, to: folder)
            #expect(text == "ok\n200")
            let other = try Self.call(as: Self.stranger, gid: 1, "/-/healthy", of: agent, isUnix: isUnix, to: folder)
            #expect(other.hasSuffix("403"))
        }
    }

    @Test(.enabled(if: getuid() == 0))
    func `the agent's own user may call without being listed`() async throws {
        try await withGateway(agentUID: Self.stranger) { agent, _ in
            let folder = ScratchFolder()
            let text = try Self.call(as: Self.stranger, "/-/healthy", of: agent, isUnix: false, to: folder)
            #expect(text == "ok\n200")
        }
    }

    @Test(arguments: [
        ("Origin: http://localhost\r\n", "origin"), ("Origin: null\r\n", "origin"),
        ("Sec-Fetch-Site: cross-site\r\n", "fetch-site"), ("Sec-Fetch-Site: same-origin\r\n", "fetch-site"),
    ])
    func `what a browser sends is refused`(field: String, code: String) async throws {
        try await withGateway { agent, upstream in
            for path in ["/api/", "/-/status", "/-/token/token"] {
                let answer = try agent.get(path, fields: field)
                #expect(answer.status == 403)
                #expect(answer.field("gateway-agent-error") == code)
            }
            #expect(try agent.get("/-/healthy", fields: "Sec-Fetch-Site: none\r\n").status == 200)
            #expect(!upstream.isCalled)
        }
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:80", true), ("127.0.0.1:4748", true), ("[::1]:1", true),
        ("gateway-agent", false), ("gateway-agent:4748", false),
        ("evil.example", false), ("localhost.evil.example", false), ("127.0.0.2", false), ("localhostx", false),
        ("[::2]", false), ("0.0.0.0", false),
    ])
    func `the Host decides, whatever its case and port`(host: String, isAllowed: Bool) async throws {
        try await withGateway { agent, _ in
            let answer = try agent.connect().call("GET /-/healthy HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(answer.status == (isAllowed ? 200 : 403))
        }
    }

    /// Also where systemd has opened it, or a reload has changed what the configuration says.
    @Test(arguments: [
        ("127.0.0.2", "127.0.0.2", true), ("127.0.0.2", "127.0.0.2:80", true), ("127.0.0.2", "127.0.0.3", false),
        ("0.0.0.0", "192.0.2.7", true), ("0.0.0.0", "[2001:db8::1]:80", true), ("0.0.0.0", "evil.example", false),
        ("0.0.0.0", "[::1].evil.example", false), ("0.0.0.0", "127.0.0.1.evil.example", false),
    ])
    func `the address that is listened on is a name for it`(ip: String, host: String, isAllowed: Bool) async throws {
        try await withGateway(ip: ip) { agent, _ in
            let status = try agent.connect().call("GET /-/healthy HTTP/1.1\r\nHost: \(host)\r\n\r\n").status
            #expect(status == 200 || !isAllowed)
            #expect(status == 403 || status == 400 || isAllowed)
        }
    }

    @Test(arguments: [("gateway-agent", true), ("Gateway-Agent:80", true), ("evil.example", false)])
    func `the agent's own name is one on the Unix socket, where no page of a browser leads`(
        host: String, isAllowed: Bool
    ) async throws {
        try await withGateway { agent, _ in
            let answer = try agent.connectUnix().call("GET /-/healthy HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(answer.status == (isAllowed ? 200 : 403))
        }
    }

    @Test func `the agent's own endpoints tell what they are for`() async throws {
        try await withGateway { agent, upstream in
            upstream.serve { server in
                _ = try server.head()
                try server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
            let caller = try agent.connectUnix()
            #expect(try caller.get("/api/").status == 200)
            #expect(try caller.get("/-/healthy").body == "ok\n")
            let status = try JSONValue.decode(try caller.get("/-/status").body.utf8.span)
            #expect(status["state"]?.stringValue == "serving")
            #expect(status["credentials"]?.arrayValue?.count == 2)
            let chain = status["routes"]?.arrayValue?.first?["inject"]?.arrayValue?.first
            #expect(chain?["in_use"]?.stringValue == "token")
            let metrics = try caller.get("/-/metrics")
            #expect(metrics.field("content-type")?.hasPrefix("text/plain") == true)
            #expect(metrics.body.contains("route=\"/api/\""))
            #expect(try caller.get("/-/nothing").status == 404)
            let posted = try agent.connect().call(
                "POST /-/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            #expect(posted.status == 405 && posted.field("allow") == "GET, HEAD")
            #expect(posted.body.contains("/-/status takes GET and HEAD, not POST"))
            #expect(try caller.call("HEAD /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200)
            #expect(try caller.get("/-/healthy").status == 200)
        }
    }
}
