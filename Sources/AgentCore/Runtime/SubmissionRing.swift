// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc

/// Many send(2) and recv(2) in one system call: io_uring(7), used as a list of calls and not as a second event loop.
///
/// Every call is one that does not wait (MSG_DONTWAIT), so the kernel has done all of them when `submit` returns: no memory
/// is lent to it beyond that, nothing can be in flight when a connection ends, and epoll(7) goes on telling what is ready.
/// What a ring leaves undone is done by the plain call; so there is nothing that only works where rings are allowed.
///
/// Of the thread that opened it alone (IORING_SETUP_SINGLE_ISSUER).
@safe
struct SubmissionRing: ~Copyable {
    /// Calls at once, at most.
    static let size = 128

    private let ring: Descriptor
    private let rings: Mapping
    private let entries: Mapping
    // Offsets into `rings`, and masks: where the kernel and the program tell each other how far they are.
    private let submissionTail: Int
    private let submissionMask: UInt32
    private let completionHead: Int
    private let completionTail: Int
    private let completionMask: UInt32
    private let firstCompletion: Int
    /// Entries filled since the last `submit`.
    private var pending: UInt32 = 0
    private var results = [Int32](repeating: 0, count: Self.size)

    /// - Throws: what io_uring_setup(2) or mmap(2) said: EINVAL before Linux 6.0, ENOSYS or EPERM where a kernel or a sandbox
    ///   forbids rings (kernel.io_uring_disabled, seccomp(2)), EMFILE and its like when something has run out.
    init() throws(SystemError) {
        var parameters = io_uring_params()
        parameters.flags = UInt32(CLINUX_RING_FLAGS)
        let raw = unsafe clinux_io_uring_setup(UInt32(Self.size), &parameters)
        guard raw >= 0 else { throw SystemError("io_uring_setup") }
        let ring = Descriptor(owning: raw)
        let (queue, done) = (parameters.sq_off, parameters.cq_off)
        let bytes = max(
            Int(queue.array) + Int(parameters.sq_entries) * MemoryLayout<UInt32>.stride,
            Int(done.cqes) + Int(parameters.cq_entries) * MemoryLayout<io_uring_cqe>.stride)
        guard parameters.features & UInt32(IORING_FEAT_SINGLE_MMAP) != 0 else {
            throw SystemError("io_uring_setup", code: ENOSYS)
        }
        let rings = try Mapping(of: raw, at: 0, bytes: bytes)
        let entries = try Mapping(
            of: raw, at: Int(CLINUX_RING_OFF_ENTRIES),
            bytes: Int(parameters.sq_entries) * MemoryLayout<io_uring_sqe>.stride)
        (submissionTail, submissionMask) = (Int(queue.tail), parameters.sq_entries - 1)
        (completionHead, completionTail) = (Int(done.head), Int(done.tail))
        completionMask = parameters.cq_entries - 1
        firstCompletion = Int(done.cqes)
        // The order of submission is the order of the entries, always.
        for index in 0..<parameters.sq_entries {
            unsafe rings.word(at: Int(queue.array) + Int(index) * MemoryLayout<UInt32>.stride).pointee = index
        }
        self.ring = ring
        self.rings = rings
        self.entries = entries
    }

    /// Has send(2) called for `memory` at the next `submit`; the memory must stay where it is until then.
    ///
    /// - Parameter place: below `size`, once between two `submit`; what `result` is asked with.
    @unsafe
    mutating func send(_ descriptor: Int32, _ memory: UnsafeRawBufferPointer, place: Int) {
        unsafe add(CLINUX_RING_SEND, descriptor, memory, MSG_NOSIGNAL, place)
    }

    /// The same with recv(2), which writes into `memory`.
    @unsafe
    mutating func receive(_ descriptor: Int32, _ memory: UnsafeMutableRawBufferPointer, place: Int) {
        unsafe add(CLINUX_RING_RECV, descriptor, UnsafeRawBufferPointer(memory), 0, place)
    }

    private mutating func add(
        _ operation: Int, _ descriptor: Int32, _ memory: UnsafeRawBufferPointer, _ flags: Int, _ place: Int
    ) {
        precondition(place >= 0 && place < Self.size && pending < UInt32(Self.size), "more calls than a ring holds")
        let index = unsafe (rings.word(at: submissionTail).pointee &+ pending) & submissionMask
        let entry = unsafe (entries.base + Int(index) * MemoryLayout<io_uring_sqe>.stride)
            .assumingMemoryBound(to: io_uring_sqe.self)
        unsafe entry.initialize(to: io_uring_sqe())
        unsafe entry.pointee.opcode = UInt8(operation)
        unsafe entry.pointee.fd = descriptor
        unsafe entry.pointee.addr = UInt64(UInt(bitPattern: memory.baseAddress))
        unsafe entry.pointee.len = UInt32(clamping: memory.count)
        unsafe entry.pointee.msg_flags = UInt32(flags | MSG_DONTWAIT)
        unsafe entry.pointee.user_data = UInt64(place)
        pending += 1
    }

    /// Makes the calls.
    ///
    /// - Returns: how many; nil if the kernel did not take all of them: the ring is of no use any more.
    mutating func submit() -> Int? {
        let tail = unsafe rings.word(at: submissionTail)
        unsafe clinux_store_release(tail, tail.pointee &+ pending)
        var (given, done): (UInt32, UInt32) = (0, 0)
        while done < pending {
            let count = clinux_io_uring_enter(
                ring.raw, pending - given, pending - done, UInt32(CLINUX_RING_GETEVENTS))
            if count >= 0 {
                given += UInt32(count)
            } else if errno != EINTR {
                break
            }
            done += collect()
        }
        defer { pending = 0 }
        return done == pending ? Int(done) : nil
    }

    private mutating func collect() -> UInt32 {
        let head = unsafe rings.word(at: completionHead)
        let first = unsafe head.pointee
        let end = unsafe clinux_load_acquire(rings.word(at: completionTail))
        var next = first
        while next != end {
            let place = firstCompletion + Int(next & completionMask) * MemoryLayout<io_uring_cqe>.stride
            let completion = unsafe (rings.base + place).assumingMemoryBound(to: io_uring_cqe.self)
            unsafe results[Int(completion.pointee.user_data)] = completion.pointee.res
            next &+= 1
        }
        unsafe clinux_store_release(head, next)
        return next &- first
    }

    /// What the call at `place` returned: bytes, or an error of errno(3) as a negative number; 0 if it was not made.
    mutating func takeResult(of place: Int) -> Int {
        defer { results[place] = 0 }
        return Int(results[place])
    }
}

/// Memory shared with the kernel.
@safe
private struct Mapping: ~Copyable {
    let base: UnsafeMutableRawPointer
    private let bytes: Int

    init(of descriptor: Int32, at offset: Int, bytes: Int) throws(SystemError) {
        let protection = PROT_READ | PROT_WRITE
        guard
            let base = unsafe mmap(nil, bytes, protection, MAP_SHARED | Int32(MAP_POPULATE), descriptor, offset),
            unsafe base != MAP_FAILED
        else { throw SystemError("mmap") }
        unsafe self.base = base
        self.bytes = bytes
    }

    deinit {
        unsafe munmap(base, bytes)
    }

    func word(at offset: Int) -> UnsafeMutablePointer<UInt32> {
        unsafe (base + offset).assumingMemoryBound(to: UInt32.self)
    }
}
