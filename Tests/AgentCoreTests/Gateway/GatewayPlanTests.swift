// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Testing

@testable import AgentCore

/// What only shows once files are read and users looked up: told by the key that names it.
@Suite struct GatewayPlanTests {
    private func plan(_ route: RouteSpec) throws(GatewayPlanProblems) -> GatewayPlan {
        try GatewayPlan(
            GatewayPlan.Parts(routes: [route], credentialNames: [], allow: AllowSpec()), agentUID: 1)
    }

    private func problem(_ tls: UpstreamTLSSpec) -> String {
        var route = RouteSpec.test("/v/", port: 1, path: "/", isTLS: true)
        route.injections = []
        route.tls = tls
        do throws(GatewayPlanProblems) {
            _ = try plan(route)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `a PEM file that cannot be read is told by its key`() {
        let missing = "No such file or directory; see the path, and whether the agent's user may read it"
        #expect(
            problem(UpstreamTLSSpec(authoritiesPath: "/nope.pem"))
                == "routes[\"/v/\"].tls.ca is \"/nope.pem\": \(missing)")
        #expect(
            problem(UpstreamTLSSpec(certificatePath: "/nope.pem", keyPath: "/no.key"))
                == "routes[\"/v/\"].tls.certificate is \"/nope.pem\": \(missing)")
        let folder = ScratchFolder()
        let file = folder.write("nothing", to: "x.pem")
        #expect(
            problem(UpstreamTLSSpec(authoritiesPath: file)).hasPrefix(
                "routes[\"/v/\"].tls.ca is \"\(file)\", which holds no certificate; "))
    }

    @Test func `a name that the host does not know is told by its key`() throws {
        var route = RouteSpec.test("/v/", port: 1, path: "/")
        route.injections = []
        route.allow = AllowSpec(users: [.name("no-such-user")], groups: [.name("no-such-group")])
        #expect(
            try plan(route).warnings == [
                "routes[\"/v/\"].allow.users names \"no-such-user\", and there is no such user on this host, "
                    + "so it lets nobody in; add the user or correct the name",
                "routes[\"/v/\"].allow.groups names \"no-such-group\", and there is no such group on this host, "
                    + "so it lets nobody in; add the group or correct the name",
            ])
    }
}
