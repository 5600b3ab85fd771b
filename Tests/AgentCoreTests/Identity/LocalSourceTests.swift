// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
import Testing

@testable import AgentCore

@Suite struct FieldSpecTests {
    private func read(_ answer: String, _ field: FieldSpec) -> Result<SourceValue, CredentialFailure> {
        let bytes = Array(answer.utf8)
        do throws(CredentialFailure) { return .success(try field.value(in: bytes.span)) } catch {
            return .failure(error)
        }
    }

    @Test(arguments: [
        (#"{"token":"abc"}"#, "/token", nil, nil),
        (
            #"{"a":{"b":[{"c~/":"abc"}]},"expires_in":60}"#, "/a/b/0/c~0~1", "/expires_in",
            SourceValue.Expiry.after(.seconds(60))
        ),
        (#"{"token":"abc","expires_on":"1700000000"}"#, "/token", "/expires_on", .at(.seconds(1_700_000_000))),
        (
            #"{"token":"abc","status":{"t":"2026-11-21T08:55:00Z"}}"#, "/token", "/status/t",
            .at(.seconds(1_795_251_300))
        ),
        (#"{"token":"abc","expires_in":null}"#, "/token", "/expires_in", nil),
        (#""abc""#, "", nil, nil),
    ])
    func `a pointer finds the token and its end`(
        _ answer: String, _ token: String, _ expiry: String?, _ end: SourceValue.Expiry?
    ) throws {
        let value = try read(answer, .json(token: token, expiry: expiry)).get()
        #expect(TestToken.text(value.secret) == "abc")
        #expect(value.expiry == end)
    }

    @Test(arguments: [
        ("", CredentialFailure.Kind.empty, "nothing"), ("<html>hunter2</html>", .malformed, "not valid JSON"),
        ("{}", .malformed, "nothing at /token"), (#"{"token":7}"#, .malformed, "a number at /token"),
        (#"{"token":""}"#, .empty, "the value is empty"),
        (#"{"token":"hunter2\r\nX: y"}"#, .malformed, "a carriage return"),
        (#"{"token":"hunter2","end":"hunter2"}"#, .malformed, "a string at /end that is no time"),
        (#"{"token":"hunter2"}"#, .malformed, "nothing at /end, where its end should be"),
        (String(repeating: "[", count: 2000), .malformed, "JSON"),
        ("\"" + String(repeating: "x", count: 2_000_000) + "\"", .malformed, "larger than"),
    ])
    func `what is no token is named and not quoted`(_ answer: String, _ kind: CredentialFailure.Kind, _ words: String) {
        guard case .failure(let failure) = read(answer, .json(token: "/token", expiry: "/end")) else {
            return #expect(Bool(false), "accepted")
        }
        #expect(failure.kind == kind)
        #expect(failure.message.contains(words))
        #expect(!failure.message.contains("hunter2"))
    }

    @Test(arguments: [
        "KEY=abc", "KEY=abc\n", "\n# KEY=no\nOTHER=1\nKEY=abc\r\n", "export KEY=abc", "KEY='abc'", "KEY=\"abc\" # said",
        "  KEY = abc  ", "KEY=abc # comment", "KEY=old\nKEY=abc", "KEYS=no\nKEY=abc", "export   KEY=abc",
    ])
    func `a dotenv line is found`(_ file: String) throws {
        #expect(TestToken.text(try read(file, .dotenv(key: "KEY")).get().secret) == "abc")
    }

    @Test(arguments: ["", "#KEY=abc", "KEY", "XKEY=abc", "KEY=", "KEY=''"])
    func `a dotenv file without the key says so`(_ file: String) {
        #expect(throws: CredentialFailure.self) { try read(file, .dotenv(key: "KEY")).get() }
    }
}

@Suite struct LocalSourceTests {
    private func fetch(_ place: LocalSource.Place) async -> Result<String, CredentialFailure> {
        do throws(CredentialFailure) {
            return .success(TestToken.text(try await LocalSource(place: place, field: .raw).fetch().secret))
        } catch {
            return .failure(error)
        }
    }

    @Test func `a file is read anew each time`() async throws {
        let folder = ScratchFolder()
        let path = folder.write("token-1\n", to: "token")
        #expect(try await fetch(.file(path: path)).get() == "token-1")
        folder.write(String(repeating: "t", count: 30_000), to: "token")
        #expect(try await fetch(.file(path: path)).get().count == 30_000)
    }

    @Test func `a missing file, a folder and a device each give a sentence`() async {
        let folder = ScratchFolder()
        for (path, words) in [
            (folder.path("none"), "No such file or directory; see the path"), (folder.path, "Is a directory"),
            ("/dev/zero", "File too large"),
        ] {
            guard case .failure(let failure) = await fetch(.file(path: path)) else {
                Issue.record("read \(path)")
                continue
            }
            #expect(failure.kind == .unavailable)
            #expect(failure.message.hasPrefix("file \(path): "))
            #expect(failure.message.contains(words))
        }
    }

    @Test func `a FIFO that nobody writes is empty and does not hang`() async {
        let folder = ScratchFolder()
        let made = unsafe mkfifo(folder.path("fifo"), 0o600)
        #expect(made == 0)
        guard case .failure(let failure) = await fetch(.file(path: folder.path("fifo"))) else {
            return #expect(Bool(false), "read")
        }
        #expect(failure.kind == .empty)
    }

    @Test func `a variable is read, and a missing one is named`() async throws {
        let path = unsafe String(cString: getenv("PATH"))
        #expect(try await fetch(.env(name: "PATH")).get() == path)
        guard case .failure(let failure) = await fetch(.env(name: "GATEWAY_AGENT_TEST_NONE")) else {
            return #expect(Bool(false), "read")
        }
        #expect(failure.kind == .unavailable)
        #expect(failure.message.hasPrefix("variable GATEWAY_AGENT_TEST_NONE is not set"))
    }

    @Test func `a variable is wiped where anybody could read it, and can still be read again`() async throws {
        let name = "GATEWAY_AGENT_TEST_TAKEN"
        for value in ["first-value", "second-value"] {
            unsafe setenv(name, value, 1)
            let place = unsafe getenv(name)
            #expect(try await fetch(.env(name: name)).get() == value)
            #expect((0..<value.utf8.count).allSatisfy { unsafe place?[$0] == 0 })
            #expect(try await fetch(.env(name: name)).get() == value)
        }
    }

    @Test func `a template is put together from where its parts lie now`() throws {
        let folder = ScratchFolder()
        let path = folder.write("s3cret\n", to: "secret")
        let template = Template(parts: [.literal("id=1&secret="), .file(path: path), .literal("&x")])
        #expect(TestToken.text(try template.rendered()) == "id=1&secret=s3cret&x")
        folder.write("new", to: "secret")
        #expect(TestToken.text(try template.rendered()) == "id=1&secret=new&x")
        #expect(throws: CredentialFailure.self) { try Template(parts: [.file(path: path + "x")]).rendered() }
    }
}
