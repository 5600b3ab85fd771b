// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// What the channels of a loop read and write in a crowded turn, done at once: by a `SubmissionRing` where there is one,
/// else one after the other.
///
/// A part of its loop, and of the loop's thread alone.
struct CrowdedCalls: ~Copyable {
    private let posted = LoopCell(ChannelList())
    private let expected = LoopCell(ChannelList())
    private let ring: LoopCell<Ring>

    // Not private: the compiler (6.3.1) fails on a private type inside of one that another file has as its part.
    struct Ring: ~Copyable {
        var ring: SubmissionRing?
        var mayOpen: Bool
        var calls: UInt64 = 0
    }

    init(usesRing: Bool) {
        ring = LoopCell(Ring(mayOpen: usesRing))
    }

    /// Reads and writes that the ring has made.
    var ringCalls: UInt64 { ring.with { $0.calls } }

    /// Fewer calls than this are made without the ring.
    private static let fewest = 2

    /// Opens the ring at the first crowded turn: a loop that never has one needs none. Where rings are forbidden it is tried
    /// once; where descriptors or memory have run out, again. One that the kernel takes no calls from any more is given up.
    ///
    /// - Returns: whether there is a ring.
    func openRing() -> Bool {
        ring.with { ring in
            if ring.mayOpen {
                do throws(SystemError) {
                    ring.ring = try SubmissionRing()
                    ring.mayOpen = false
                } catch {
                    ring.mayOpen = [EMFILE, ENFILE, ENOMEM].contains(error.code)
                }
            }
            return ring.ring != nil
        }
    }

    /// Has the channel's output written at the end of the turn.
    func willWrite(_ channel: Channel) {
        posted.with { $0.append(channel) }
    }

    /// Has the channel read when all events of the turn have been told.
    func willRead(_ channel: Channel) {
        expected.with { $0.append(channel) }
    }

    func writeAll() {
        make(
            posted, prepare: { $0.submitPosted(to: &$1, place: $2) }, settle: { $0.didWrite($1) },
            finish: { $0.turnEnds() })
    }

    func readAll() {
        make(
            expected, prepare: { $0.submitRead(to: &$1, place: $2) }, settle: { $0.didRead($1) },
            finish: { $0.notify() })
    }

    /// - Parameters:
    ///   - prepare: puts a channel's call into the ring, or does nothing.
    ///   - settle: gets what the call returned, as `takeResult` says. Neither of the two touches another channel.
    ///   - finish: goes on with the channel, whether or not there was a call. It may do anything.
    private func make(
        _ list: borrowing LoopCell<ChannelList>, prepare: (Channel, inout SubmissionRing, Int) -> Void,
        settle: (Channel, Int) -> Void, finish: (Channel) -> Void
    ) {
        var done = 0
        while true {
            let count = min(list.with { $0.count } - done, SubmissionRing.size)
            guard count > 0 else { break }
            if count >= Self.fewest {
                ring.with { ring in
                    guard ring.ring != nil else { return }
                    list.with { list in
                        for place in 0..<count { unsafe list[done + place].use { prepare($0, &ring.ring!, place) } }
                        let made = ring.ring!.submit()
                        ring.calls &+= UInt64(made ?? 0)
                        for place in 0..<count {
                            unsafe list[done + place].use { settle($0, ring.ring!.takeResult(of: place)) }
                        }
                        if made == nil { ring.ring = nil }
                    }
                }
            }
            // Only this function takes channels off, and only at its end.
            for place in 0..<count { unsafe list.with { $0[done + place] }.use { finish($0) } }
            done += count
        }
        if done > 0 { list.with { $0.removeFirst(done) } }
    }
}

/// Channels that something is to be done with, each kept alive until it is taken off.
///
/// A list of references would count one up and down at every look: twenty atomic operations a request.
@safe
struct ChannelList: ~Copyable {
    private var kept = OwnedList<Entry>()

    /// A channel of the list.
    @safe
    struct Entry {
        fileprivate let channel: Unmanaged<Channel>

        /// Not when it has been taken off the list: nobody else need have kept it alive.
        @unsafe
        @inline(__always)
        func use<Result>(_ body: (Channel) -> Result) -> Result {
            unsafe channel._withUnsafeGuaranteedRef { body($0) }
        }
    }

    deinit {
        for index in 0..<kept.count { unsafe kept[index].channel.release() }
    }

    var count: Int { kept.count }

    subscript(index: Int) -> Entry { kept[index] }

    mutating func append(_ channel: Channel) {
        kept.append(unsafe Entry(channel: .passRetained(channel)))
    }

    /// Takes the first `some` channels off.
    mutating func removeFirst(_ some: Int) {
        for index in 0..<some { unsafe kept[index].channel.release() }
        kept.removeFirst(some)
    }
}
