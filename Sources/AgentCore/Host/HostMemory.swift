// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Gives back to the kernel what is not needed while nobody calls.
enum HostMemory {
    /// Returns freed memory, and unmaps the pages of program files that were touched: after the start, after a burst, and
    /// when nobody has called for a while.
    ///
    /// Parsers of the configuration, the dynamic linker's work, the setting up of TLS: two thirds of what is resident after
    /// a start is text and tables that nobody looks at again. They are clean and the page cache keeps them: a page that
    /// is needed after all comes back by a minor fault, sixteen pages at a time. Blocks for a millisecond.
    static func releaseUnused() {
        for range in cleanMappings() {
            unsafe madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
        }
        // Last, since the reading above has taken some, too.
        malloc_trim(0)
    }

    /// Mappings of program files that can be dropped and fetched again.
    ///
    /// Only of objects that are loaded when this begins: the dynamic linker first reserves the whole extent of one that it
    /// loads as a single mapping like these, and what it puts over that a moment later would be dropped.
    static func cleanMappings() -> [Range<UInt>] {
        let objects = loadedObjects()
        guard let maps = try? Secret(contentsOf: "/proc/self/smaps", limitBytes: 1 << 20) else { return [] }
        let text = maps.withExposedBytes { bytes in String(decoding: [UInt8](of: bytes), as: UTF8.self) }
        return cleanMappings(smaps: text).filter { mapping in objects.contains { $0.contains(mapping) } }
    }

    /// Mappings of files that cannot be written to and hold no page of this process's own: relocated addresses are such
    /// pages, and would be lost, also from the swap. From proc_pid_smaps(5):
    ///
    ///     7f1da3000000-7f1da3100000 r-xp 00000000 fe:00 1234   /usr/lib/…
    ///     Anonymous:             0 kB
    ///     Swap:                  0 kB
    static func cleanMappings(smaps text: String) -> [Range<UInt>] {
        var mapping: Range<UInt>?
        var found: [Range<UInt>] = []
        var hasOwn = true
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: true)
            if parts.count >= 5, parts[1].count == 4 {
                mapping = parts.count >= 6 && parts[5].hasPrefix("/") ? range(parts[0], parts[1]) : nil
                hasOwn = true
            } else if parts.count == 3, parts[0] == "Anonymous:" {
                // What has been swapped out counts as none here.
                hasOwn = parts[1] != "0"
            } else if parts.count == 3, parts[0] == "Swap:", parts[1] == "0", !hasOwn, let mapping {
                found.append(mapping)
            }
        }
        return found
    }

    private static func range(_ text: Substring, _ permissions: Substring) -> Range<UInt>? {
        guard permissions == "r-xp" || permissions == "r--p" else { return nil }
        let ends = text.split(separator: "-").compactMap { UInt($0, radix: 16) }
        return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
    }

    /// Where the program and its libraries lie: dl_iterate_phdr(3).
    private static func loadedObjects() -> [Range<UInt>] {
        var extents: [Range<UInt>] = []
        unsafe _ = withUnsafeMutablePointer(to: &extents) { extents in
            unsafe dl_iterate_phdr(
                { object, _, extents in
                    guard let object = unsafe object?.pointee, let extents = unsafe extents else { return 0 }
                    if let extent = unsafe HostMemory.extent(of: object) {
                        unsafe extents.assumingMemoryBound(to: [Range<UInt>].self).pointee.append(extent)
                    }
                    return 0
                }, extents)
        }
        return extents
    }

    private static func extent(of object: clinux_loaded_object) -> Range<UInt>? {
        let (count, base) = unsafe (Int(object.header_count), UInt(object.address))
        guard let headers = unsafe object.headers else { return nil }
        let page = UInt(getpagesize())
        var (low, high) = (UInt.max, UInt.min)
        for number in 0..<count {
            let header = unsafe headers[number]
            guard header.p_type == PT_LOAD else { continue }
            low = min(low, UInt(header.p_vaddr))
            high = max(high, UInt(header.p_vaddr) &+ UInt(header.p_memsz))
        }
        // A difference to what the file says, which may be a negative one.
        (low, high) = ((base &+ low) / page * page, (base &+ high &+ page &- 1) / page * page)
        return low < high ? low..<high : nil
    }
}
