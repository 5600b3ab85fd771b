// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Tells when what a path leads to may have changed: inotify(7), one descriptor for all paths of a loop.
///
/// It watches the folders in which the path and the symbolic links on its way are looked up, not the file itself. So it
/// sees an atomic rename, kubelet's exchange of `..data`, a write in place (when the writer closes the file), a change
/// of permission, deletion and re-creation. A folder that is missing is waited for in the nearest one that exists. Not
/// seen: the rename of a folder further up that no link on the way stands in.
///
/// A call may be spurious; many changes at once make one call. The watches are in place before it, so that whoever
/// reads the file then misses no later change.
///
/// ## Concurrency
/// Confined to the loop. Looking a path up is a handful of quick system calls on the loop: paths on network file
/// systems do not belong here.
@safe
final class FileWatcher: EventTarget {
    /// One watched path; ends with `cancel`.
    struct Watch: Hashable {
        fileprivate let number: UInt64
    }

    private struct Interest {
        let path: String
        let changed: () -> Void
        var places: Set<Place> = []
    }

    /// A name in a watched folder.
    private struct Place: Hashable {
        let folder: Int32
        let name: String
    }

    private let loop: EventLoop
    private let descriptor: Descriptor
    private var registration: RegistrationID?
    private var interests: [UInt64: Interest] = [:]
    private var lastNumber: UInt64 = 0

    /// - Throws: what inotify_init1(2) said; EMFILE when the user has too many instances (fs.inotify).
    init(on loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let raw = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard raw >= 0 else { throw SystemError("inotify_init1") }
        descriptor = Descriptor(owning: raw)
        registration = try loop.register(raw, events: EPOLLIN.rawValue | EPOLLET.rawValue, target: self)
    }

    /// Ends all watches. To be called before the last reference goes: the loop holds one.
    func close() {
        interests = [:]
        if let registration { loop.deregister(registration, keepingOpen: descriptor.raw) }
        registration = nil
    }

    /// Calls `changed`, on the loop, whenever what `path` leads to may have changed.
    ///
    /// - Parameter path: absolute; need not exist.
    /// - Throws: what inotify_add_watch(2) said, with the folder: EACCES for one that may not be read, ENOSPC when the
    ///   user has too many watches.
    func watch(_ path: String, _ changed: @escaping () -> Void) throws(SystemError) -> Watch {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else { throw SystemError("inotify", code: EINVAL, on: path) }
        let places = try settle(path)
        lastNumber += 1
        interests[lastNumber] = Interest(path: path, changed: changed, places: places)
        return Watch(number: lastNumber)
    }

    func cancel(_ watch: Watch) {
        guard let ended = interests.removeValue(forKey: watch.number) else { return }
        release(ended.places)
    }

    // MARK: Events

    func eventsArrived(_ events: UInt32) {
        let touched = readEvents()
        guard !touched.isEmpty else { return }
        var calls: [() -> Void] = []
        for (number, interest) in interests.sorted(by: { $0.key < $1.key })
        where interest.places.contains(where: { touched.includes($0.folder, $0.name) }) {
            // What cannot be watched any more is reported as a change; reading will tell the reason.
            let places = (try? settle(interest.path)) ?? interest.places
            interests[number]?.places = places
            release(interest.places.subtracting(places))
            calls.append(interest.changed)
        }
        for call in calls { call() }
    }

    private struct Touched {
        var names: [Int32: Set<String>] = [:]
        var folders: Set<Int32> = []
        var isEverything = false

        var isEmpty: Bool { names.isEmpty && folders.isEmpty && !isEverything }

        func includes(_ folder: Int32, _ name: String) -> Bool {
            isEverything || folders.contains(folder) || names[folder]?.contains(name) == true
        }
    }

    private func readEvents() -> Touched {
        var touched = Touched()
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let headerSize = MemoryLayout<inotify_event>.size
        while true {
            let count = unsafe read(descriptor.raw, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return touched }
            var offset = 0
            while offset + headerSize <= count {
                let event = unsafe buffer.withUnsafeBytes {
                    unsafe $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                }
                let end = min(count, offset + headerSize + Int(event.len))
                let name = buffer[(offset + headerSize)..<end].prefix { $0 != 0 }
                offset = end
                if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
                    touched.isEverything = true
                } else if name.isEmpty {
                    touched.folders.insert(event.wd)
                } else {
                    touched.names[event.wd, default: []].insert(String(decoding: name, as: UTF8.self))
                }
            }
        }
    }

    // MARK: Watches

    private static let mask =
        UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF)
        | UInt32(IN_MOVE_SELF | IN_ONLYDIR)

    /// Watches all places on the way of `path`. Looks again until nothing has moved between looking and watching.
    private func settle(_ path: String) throws(SystemError) -> Set<Place> {
        var known: Set<Place> = []
        for _ in 0..<8 {
            var places: Set<Place> = []
            for step in PathTrail(path).steps {
                let folder = unsafe inotify_add_watch(descriptor.raw, step.folder, Self.mask)
                if folder >= 0 {
                    places.insert(Place(folder: folder, name: step.name))
                } else if errno != ENOENT && errno != ENOTDIR {
                    throw SystemError("inotify_add_watch", on: step.folder)
                }
            }
            if places == known { break }
            known = places
        }
        return known
    }

    /// Gives up the folders of `places` that nobody else watches. One that is gone has no watch any more.
    private func release(_ places: Set<Place>) {
        for folder in Set(places.map(\.folder))
        where !interests.values.contains(where: { $0.places.contains { $0.folder == folder } }) {
            _ = inotify_rm_watch(descriptor.raw, folder)
        }
    }
}
