// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

@Test func `a secret prints as redacted however it is printed`() {
    let secret = Secret(copying: Array("hunter2".utf8).span)
    #expect("\(secret)" == "<redacted>")
    #expect(String(reflecting: secret) == "<redacted>")
    var text = ""
    dump(secret, to: &text)
    #expect(!text.contains("hunter2"))
    secret.withExposedBytes { #expect($0.count == 7) }
    var b = ByteBuffer(); b.append(decimal: 1024); b.append(hexadecimal: 255); b.append("x")
    #expect(b.count == 7)
    #expect(SystemError("connect", code: 111).description == "connect: Connection refused")
}
