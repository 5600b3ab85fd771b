// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc
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

    /// A block of proc_pid_smaps(5), in the order of its lines.
    private static func block(
        _ permissions: String, _ path: String = "/usr/lib/libcrypto.so.3", anonymous: Int = 0, swap: Int = 0
    ) -> String {
        """
        7f0000001000-7f0000003000 \(permissions) 00000000 fe:00 1234                       \(path)
        Size:                  8 kB
        Rss:                   8 kB
        Anonymous:          \(anonymous) kB
        LazyFree:              0 kB
        Swap:               \(swap) kB
        SwapPss:               0 kB
        THPeligible:    0
        VmFlags: rd ex mr mw me

        """
    }

    @Test(arguments: [
        (block("r-xp"), true), (block("r--p"), true), (block("rw-p"), false), (block("r--s"), false),
        (block("r--p", ""), false), (block("r--p", "[vdso]"), false),
        // Relocated: addresses that are in no file. Swapped out, they are no less this process's own.
        (block("r--p", anonymous: 12), false), (block("r--p", swap: 12), false),
        (block("r--p", anonymous: 4, swap: 8), false),
        // What is said of one mapping is not taken for the next.
        (block("r--p", anonymous: 4) + "7f0000005000-7f0000006000 r--p 00000000 fe:00 7 /x\n", false),
    ])
    func `a mapping with a page of the process's own is left alone`(smaps: String, isClean: Bool) {
        #expect(HostMemory.cleanMappings(smaps: smaps) == (isClean ? [0x7f00_0000_1000..<0x7f00_0000_3000] : []))
    }

    /// An object that is being loaded looks like this for a moment; a file that is mapped by hand does for good.
    @Test func `a mapping of what is not loaded is left alone`() {
        let raw = unsafe open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        defer { close(raw) }
        let size = getpagesize()
        let memory = unsafe mmap(nil, Int(size), PROT_READ, MAP_PRIVATE, raw, 0)
        defer { unsafe munmap(memory, Int(size)) }
        let address = UInt(bitPattern: memory)
        let smaps = text(of: "/proc/self/smaps")
        #expect(HostMemory.cleanMappings(smaps: smaps).contains { $0.contains(address) })
        #expect(!HostMemory.cleanMappings().contains { $0.contains(address) })
        #expect(!HostMemory.cleanMappings().isEmpty)
    }

    private func text(of path: String) -> String {
        guard let contents = try? Secret(contentsOf: path, limitBytes: 1 << 20) else { return "" }
        return contents.withExposedBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }
}
