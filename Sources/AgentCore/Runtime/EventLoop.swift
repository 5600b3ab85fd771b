// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import CLinux
import Glibc
import Synchronization

/// One thread around one epoll(7) instance, and the executor of everything that lives on it.
///
/// ## Concurrency
/// Two domains. *On the loop*: registrations, timers, the queue of ready jobs; touched by the loop's thread alone and
/// therefore without a lock. *From anywhere*: the inbox, behind a mutex that the loop itself takes only when a flag
/// says that there is mail. An actor whose `unownedExecutor` is a loop has its whole state on that loop; tasks started
/// with `executorPreference: loop` keep their non-isolated parts there as well, so that a request never changes thread.
///
/// A loop with nothing to do sleeps in epoll_wait(2) with no timeout: no periodic wake-ups.
@safe
final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // @unchecked: `inbox`, `hasMail` and `isSleeping` synchronise themselves, everything mutable besides them is
    // read and written on the loop's own thread, which `preconditionOnLoop` checks at the doors.

    /// For the thread's name and for logs: at most 15 bytes are shown by the kernel.
    let name: String
    /// Blocks of memory for the buffers of this loop's connections.
    let buffers = BufferPool()
    /// Pipes for large content.
    let pipes = SplicePool()
    /// Monotonic nanoseconds, read once a turn: good enough for deadlines, and free.
    private(set) var now = SystemClock.monotonic()

    private let epoll: Descriptor
    private let wakeUp: Descriptor
    /// pthread_self(3) of the loop's thread; 0 before it runs.
    private let thread = Atomic<UInt>(0)
    private var isStopped = false
    private let ready = JobQueue()
    private var registrations: [Registration] = []
    private var freeSlots: [Int] = []
    /// This turn has brought many events: small output waits for its end (`Channel.post`).
    private(set) var isCrowded = false
    /// Such a turn's reads are made at once, before those go on who wait for them (`Channel.readsAhead`).
    private(set) var readsAhead = false
    /// What the channels read and write in such a turn.
    let calls: CrowdedCalls
    private let crowd: Crowd

    /// How a loop works when there is much at once.
    struct Crowd: Sendable {
        /// How many events make a turn a crowded one; with 0 each is.
        var events = 8
        /// Whether the reads and writes of such a turn go through a `SubmissionRing`, where the kernel permits it.
        var usesRing = true
    }
    private var timers = TimerHeap()
    /// Monotonic nanoseconds of the first timer; `Int64.max`: none is set.
    private(set) var nextTimer = Int64.max
    /// Called on the loop before it sleeps: what was gathered during a turn goes out now.
    var beforeSleep: (() -> Void)?

    private let inbox = Mutex(Inbox())
    private let hasMail = Atomic(false)
    private let isSleeping = Atomic(false)
    private let turnCount = Atomic<UInt64>(0)

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var work: [@Sendable () -> Void] = []
    }

    private struct Registration {
        var generation: UInt32 = 0
        var target: (any EventTarget)?
    }

    /// - Throws: what epoll_create1(2) or eventfd(2) said, usually that the process is out of descriptors.
    init(name: String, crowd: Crowd = Crowd()) throws(SystemError) {
        self.name = name
        self.crowd = crowd
        calls = CrowdedCalls(usesRing: crowd.usesRing)
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SystemError("epoll_create1") }
        self.epoll = Descriptor(owning: epoll)
        let wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeUp >= 0 else { throw SystemError("eventfd") }
        self.wakeUp = Descriptor(owning: wakeUp)
        // Edge-triggered and never read: each write is an edge of its own.
        var event = unsafe Self.event(EPOLLIN.rawValue | EPOLLET.rawValue, tag: Self.wakeUpTag)
        guard unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event) == 0 else { throw SystemError("epoll_ctl") }
    }

    private static let wakeUpTag = UInt64.max

    private static func event(_ events: UInt32, tag: UInt64) -> epoll_event {
        unsafe epoll_event(events: events, data: epoll_data_t(u64: tag))
    }

    // MARK: Running

    /// Runs the loop on the calling thread until `stop()`.
    func run() {
        thread.store(pthread_self(), ordering: .relaxed)
        _ = unsafe pthread_setname_np(pthread_self(), String(name.prefix(15)))
        let serial = unsafe asUnownedSerialExecutor()
        let task = unsafe asUnownedTaskExecutor()
        let capacity = 256
        let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: capacity)
        defer { unsafe events.deallocate() }
        while !isStopped {
            if hasMail.load(ordering: .acquiring) { takeMail() }
            ready.run { job in unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task) }
            if isStopped { break }

            calls.writeAll()
            beforeSleep?()
            let timeout = prepareToWait()
            let count = unsafe clinux_epoll_wait(epoll.raw, events.baseAddress, Int32(capacity), timeout)
            isSleeping.store(false, ordering: .relaxed)
            isCrowded = count >= crowd.events
            readsAhead = isCrowded && calls.openRing()
            now = SystemClock.monotonic()
            turnCount.store(turnCount.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
            for index in 0..<max(0, Int(count)) {
                let event = unsafe events[index]
                unsafe deliver(event.events, tag: event.data.u64)
            }
            calls.readAll()
            if nextTimer <= now { expireTimers() }
        }
    }

    /// Starts a thread of its own that runs the loop; returns once the thread exists.
    func start() throws(SystemError) {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(self)
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                let loop = unsafe Unmanaged<EventLoop>.fromOpaque(argument!).takeRetainedValue()
                loop.run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            unsafe box.release()
            throw SystemError("pthread_create", code: code)
        }
        pthread_detach(thread)
    }

    /// Ends `run()` after the current turn. Any thread; jobs left in the queue are not run.
    func stop() {
        post { self.isStopped = true }
    }

    /// How often the loop came back from epoll_wait(2): a stuck loop stands still, an idle one does too.
    var turns: UInt64 { turnCount.load(ordering: .relaxed) }

    var isOnLoop: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    func preconditionOnLoop() {
        precondition(isOnLoop, "called off the loop's thread")
    }

    /// How long epoll_wait(2) may sleep, in milliseconds; −1 is for ever.
    private func prepareToWait() -> Int32 {
        if !ready.isEmpty { return 0 }
        // Order matters: announce the sleep, then look for mail once more. A sender does it the other way round, so at
        // least one of the two sees the other.
        isSleeping.store(true, ordering: .sequentiallyConsistent)
        if hasMail.load(ordering: .sequentiallyConsistent) { return 0 }
        if nextTimer == .max { return -1 }
        let rest = nextTimer - SystemClock.monotonic()
        // Rounded up, so that a timer is not woken for just too early and spun for.
        return rest <= 0 ? 0 : Int32(clamping: (rest + 999_999) / 1_000_000)
    }

    private func takeMail() {
        let mail = inbox.withLock { inbox in
            // Read as well as written: so the order between a sender and this loop is plain to the thread sanitizer, too,
            // which does not see into the lock.
            _ = hasMail.exchange(false, ordering: .sequentiallyConsistent)
            let taken = inbox
            inbox = Inbox()
            return taken
        }
        for job in mail.jobs { ready.append(job) }
        for work in mail.work { work() }
    }

    private func deliver(_ events: UInt32, tag: UInt64) {
        guard tag != Self.wakeUpTag else { return }
        let slot = Int(tag & 0xffff_ffff)
        // An event that was fetched before its descriptor was closed, in this very batch, finds another generation.
        guard slot < registrations.count, registrations[slot].generation == UInt32(tag >> 32),
            let target = registrations[slot].target
        else { return }
        target.eventsArrived(events)
    }

    // MARK: Timers

    var timerCount: Int { timers.count }

    /// Has `parker` asked at `time` whether it is due; it must have no timer.
    func setTimer(_ parker: Parker, at time: Int64) {
        timers.insert(parker, at: time)
        nextTimer = timers.earliest
    }

    func removeTimer(_ parker: Parker) {
        timers.remove(parker)
        nextTimer = timers.earliest
    }

    private func expireTimers() {
        timers.expire(at: now)
        nextTimer = timers.earliest
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isOnLoop {
            ready.append(job)
        } else {
            send { $0.jobs.append(job) }
        }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
    func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }

    /// What `assumeIsolated` of an actor on this loop asks.
    func checkIsolated() {
        preconditionOnLoop()
    }

    func isIsolatingCurrentContext() -> Bool? {
        isOnLoop
    }

    /// Runs `work` on the loop, after what was posted before it. Any thread.
    func post(_ work: @escaping @Sendable () -> Void) {
        send { $0.work.append(work) }
    }

    private func send(_ put: (inout Inbox) -> Void) {
        inbox.withLock { inbox in
            put(&inbox)
            hasMail.store(true, ordering: .sequentiallyConsistent)
        }
        if isSleeping.exchange(false, ordering: .sequentiallyConsistent) {
            _ = eventfd_write(wakeUp.raw, 1)
        }
    }

    /// Runs `work`, which may block, on a thread of `BlockingThreads`; the caller goes on where it was.
    ///
    /// Name resolution, file reads and process starts go through here: nothing that may wait runs on the loop.
    static func offload<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        // The value goes under a lock of its own: where the work is done before the caller has suspended, the runtime
        // hands over by means that the thread sanitizer does not see.
        let result = Shelf<Value>()
        unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            BlockingThreads.shared.run {
                result.put(work())
                unsafe continuation.resume()
            }
        }
        return result.take()
    }

    // MARK: Descriptors

    /// Tells `target` about `events` (epoll_ctl(2) bits) of `descriptor` from now on. The loop keeps `target` alive
    /// until `deregister`.
    func register(_ descriptor: Int32, events: UInt32, target: any EventTarget) throws(SystemError) -> RegistrationID {
        preconditionOnLoop()
        let slot = freeSlots.popLast() ?? registrations.count
        if slot == registrations.count { registrations.append(Registration()) }
        let id = RegistrationID(slot: UInt32(slot), generation: registrations[slot].generation)
        var event = unsafe Self.event(events, tag: id.tag)
        guard unsafe epoll_ctl(epoll.raw, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            let error = SystemError("epoll_ctl")
            freeSlots.append(slot)
            throw error
        }
        registrations[slot].target = target
        return id
    }

    /// Changes the events asked for.
    func modify(_ id: RegistrationID, descriptor: Int32, events: UInt32) throws(SystemError) {
        var event = unsafe Self.event(events, tag: id.tag)
        guard unsafe epoll_ctl(epoll.raw, EPOLL_CTL_MOD, descriptor, &event) == 0 else {
            throw SystemError("epoll_ctl")
        }
    }

    /// Forgets a registration. Called before its descriptor is closed; closing takes it out of the epoll set, so there
    /// is no epoll_ctl(2) unless the descriptor lives on (`keepingOpen`).
    func deregister(_ id: RegistrationID, keepingOpen descriptor: Int32? = nil) {
        preconditionOnLoop()
        if let descriptor { _ = epoll_ctl(epoll.raw, EPOLL_CTL_DEL, descriptor, nil) }
        let slot = Int(id.slot)
        guard registrations[slot].generation == id.generation else { return }
        registrations[slot].generation &+= 1
        registrations[slot].target = nil
        freeSlots.append(slot)
    }
}

/// Names one registration of a descriptor; a later one in the same slot has another generation.
struct RegistrationID {
    let slot: UInt32
    let generation: UInt32

    var tag: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// Somebody who hears about a descriptor. Called on the loop, outside of any task: it notes what happened and unparks.
protocol EventTarget: AnyObject {
    /// - Parameter events: the bits of epoll_ctl(2).
    func eventsArrived(_ events: UInt32)
}
