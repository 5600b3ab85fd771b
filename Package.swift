// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import PackageDescription

/// One set of settings for every Swift target, so that no file is held to less.
var settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),  // SE-0458
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
    .enableExperimentalFeature("Lifetimes"),
]
// Asked for by `make check` and CI alone: a newer compiler may warn of more, and must still build this.
if Context.environment["WARNINGS_AS_ERRORS"] == "1" { settings.append(.treatAllWarnings(as: .error)) }  // SE-0480

// What a request calls stands together in the program, and in its functions what is usual before what is not: both as
// recorded, by benchmarks/instructions and benchmarks/profile. lld comes with the toolchain.
let order = "\(Context.packageDirectory)/packaging/functions.order"
let profile = "\(Context.packageDirectory)/packaging/functions.profdata"
var compiling = ["-Xfrontend", "-function-sections"]
var linking = ["-use-ld=lld", "-Xlinker", "--symbol-ordering-file=\(order)", "-Xlinker", "--no-warn-symbol-ordering"]
if let runtime = Context.environment["RECORD_PROFILE"] {  // benchmarks/profile alone asks for it
    compiling += ["-Xfrontend", "-ir-profile-generate", "-DRECORDS_PROFILE"]
    linking += ["-Xlinker", "-u", "-Xlinker", "__llvm_profile_runtime", "-Xlinker", runtime]
} else {
    #if compiler(>=6.3)  // an older one does not know the format
        compiling += ["-Xfrontend", "-ir-profile-use=\(profile)", "-Xllvm", "-enable-split-machine-functions"]
    #endif
}
let together: [LinkerSetting] = [.unsafeFlags(linking, .when(configuration: .release))]
let apart: [SwiftSetting] = [.unsafeFlags(compiling, .when(configuration: .release))]

let package = Package(
    name: "gateway-agent",
    targets: [
        .executableTarget(
            name: "gateway-agent", dependencies: ["AgentCore"], swiftSettings: settings, linkerSettings: together),
        // Measures the agent, and is not installed: see Makefile, `simulate`.
        .executableTarget(
            name: "workbench", dependencies: ["AgentCore"], swiftSettings: settings),
        .target(
            name: "AgentCore", dependencies: ["CLinux", "COpenSSL", "CSystemd"],
            swiftSettings: settings + apart),
        .testTarget(
            name: "AgentCoreTests", dependencies: ["AgentCore"],
            resources: [.copy("Corpus")], swiftSettings: settings),
        // What Glibc's module map leaves out: epoll, eventfd, sock_diag, SO_PEERCRED's ucred.
        .target(name: "CLinux", path: "Sources/CLinux"),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    ]
)

// scripts/fuzz alone asks for it: the program needs a sanitizer and libFuzzer to link.
if Context.environment["FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: ["AgentCore"], path: "Fuzz", swiftSettings: settings,
            linkerSettings: [.linkedLibrary("stdc++")]))
}
