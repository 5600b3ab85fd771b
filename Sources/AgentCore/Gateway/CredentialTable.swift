// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One loop's view of all credentials: the newest snapshot of each, and the fields rendered from it.
///
/// Confined to its loop. The engine's publications write it, requests read it: no lock and no atomic between them.
final class CredentialTable {
    private let content: LoopCell<Content>
    private let index: NameIndex
    private let signals: CredentialSignals
    /// Tasks of this loop that wait for a publication.
    private var waiters: [Parker] = []

    /// The snapshots, and what goes with them in their order.
    fileprivate struct Content: ~Copyable {
        var snapshots: [CredentialSnapshot]
        /// The engine has been told of the use, or of the demand, of this snapshot.
        var toldOfUse: [Bool]
        var toldOfDemand: [Bool]
        var rendered: [Rendered?]
    }

    /// A field line, and of which generation of the credential it is.
    struct Rendered {
        let generation: UInt64
        let line: Secret
    }

    /// - Parameters:
    ///   - snapshots: in the order of the plan's credentials.
    ///   - lineCount: of the plan.
    init(_ snapshots: [CredentialSnapshot], lineCount: Int, signals: CredentialSignals) {
        let untold = snapshots.map { _ in false }
        content = LoopCell(
            Content(
                snapshots: snapshots, toldOfUse: untold, toldOfDemand: untold,
                rendered: Array(repeating: nil, count: lineCount)))
        self.signals = signals
        index = NameIndex(snapshots.map(\.name))
    }

    var snapshots: [CredentialSnapshot] { content.with { $0.snapshots } }

    func position(of name: Span<UInt8>) -> Int? { index[name] }
    func position(of name: String) -> Int? { index[name.utf8.span] }

    /// Takes a publication of the engine, and has everybody who waits decide again. One of another credential that a
    /// reload gave the same name is none of this table's: its value would go where the former one was meant to.
    func take(_ snapshot: CredentialSnapshot) {
        guard let place = position(of: snapshot.name), snapshots[place].lineage == snapshot.lineage else { return }
        content.with { content in
            content.snapshots[place] = snapshot
            content.toldOfUse[place] = false
            content.toldOfDemand[place] = false
        }
        wakeWaiters()
    }

    /// Takes note that a reload has ended whatever is not published any more, and has everybody who waits decide again.
    ///
    /// - Parameter lineages: of what is published, by name: the same under another name is not told to this table.
    func retire(allBut lineages: [String: UInt64]) {
        for place in snapshots.indices where lineages[snapshots[place].name] != snapshots[place].lineage {
            content.with { $0.snapshots[place].retire() }
        }
        wakeWaiters()
    }

    /// Wakes all who wait, since what they wait for may have changed.
    private func wakeWaiters() {
        let woken = waiters
        waiters.removeAll(keepingCapacity: true)
        for parker in woken { parker.unpark() }
    }

    /// Has `parker` woken at the next publication of any credential.
    func addWaiter(_ parker: Parker) {
        waiters.append(parker)
    }

    func removeWaiter(_ parker: Parker) {
        waiters.removeAll { $0 === parker }
    }

    /// - Returns: whether it was not marked before.
    private static func mark(_ isTold: inout Bool) -> Bool {
        defer { isTold = true }
        return !isTold
    }

    /// Tells the engine, once a snapshot, that the value is in use.
    func noteUse(_ place: Int) {
        guard content.with({ Self.mark(&$0.toldOfUse[place]) }) else { return }
        signals.used(snapshots[place].name, snapshots[place].generation)
    }

    /// Tells the engine, once a snapshot, that somebody needs the value.
    func demand(_ place: Int) {
        guard content.with({ Self.mark(&$0.toldOfDemand[place]) }) else { return }
        signals.demanded(snapshots[place].name, 0)
    }

    /// Tells the engine that a caller needs at least so many nanoseconds of life.
    func demand(_ place: Int, life: Int64) {
        signals.demanded(snapshots[place].name, life)
    }

    /// Tells the engine that an upstream refused a generation.
    func reject(_ name: String, generation: UInt64) {
        guard let place = position(of: name) else { return }
        signals.rejected(snapshots[place].lineage, generation)
    }

    /// Decides a chain on what is known now.
    func decide(_ chain: Chain, clientBrought: Bool, at now: HostTime, bound: Int64) -> Chain.Decision {
        content.with { chain.decide($0.snapshots.span, clientBrought: clientBrought, at: now, bound: bound) }
    }

    /// The whole field line for a credential, `authorization: Bearer …` and CRLF, rendered once a generation; tells the
    /// engine, once a snapshot, that the value is in use.
    ///
    /// - Parameter slot: the number that the plan gave to this form of this credential.
    func use(_ place: Int, as form: HeaderForm, slot: Int) -> Rendered? {
        guard let generation = content.with({ $0.snapshots[place].credential?.generation }) else { return nil }
        noteUse(place)
        if let kept = content.with({ $0.rendered[slot] }), kept.generation == generation { return kept }
        return render(place, as: form, slot: slot)
    }

    private func render(_ place: Int, as form: HeaderForm, slot: Int) -> Rendered? {
        guard let credential = snapshots[place].credential else { return nil }
        var bytes = ByteBuffer(capacity: 512)
        bytes.append(form.field)
        bytes.append(": ")
        form.value(for: credential.secret).withExposedBytes { bytes.append($0) }
        bytes.append("\r\n")
        let line = Rendered(generation: credential.generation, line: Secret(copying: bytes.readable))
        bytes.consumeWiping(bytes.count)
        content.with { $0.rendered[slot] = line }
        return line
    }
}

/// The way back from the loops to the credential engine. Each may be called on any thread, and returns at once.
struct CredentialSignals: Sendable {
    let used: @Sendable (_ name: String, _ generation: UInt64) -> Void
    /// `life`: nanoseconds that should be left of it.
    let demanded: @Sendable (_ name: String, _ life: Int64) -> Void
    let rejected: @Sendable (_ lineage: UInt64, _ generation: UInt64) -> Void
    /// A loop's calls go out with another link of a chain than before.
    var chainChanged: @Sendable (ChainUse) -> Void = { _ in }
}
