// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The contexts of calls that are made now and then, one for each configuration: making one takes milliseconds.
///
/// A context is made anew when one of the files that it was read from is another than it was, so that a renewed
/// certificate or trust store is in force at the next call.
enum TLSContexts {
    private struct Entry {
        let context: TLSContext
        let files: [FileStamp?]
    }

    private static let entries = Mutex<[TLSConfiguration: Entry]>([:])

    /// Blocks: offload it.
    static func context(for configuration: TLSConfiguration) throws(TLSFailure) -> TLSContext {
        // Before the files are read: what changes between is seen the next time.
        let files = paths(configuration).map { FileStamp(of: $0) }
        if let entry = entries.withLock({ $0[configuration] }), entry.files == files { return entry.context }
        let context = try TLSContext(client: configuration)
        entries.withLock { $0[configuration] = Entry(context: context, files: files) }
        return context
    }

    private static func paths(_ configuration: TLSConfiguration) -> [String] {
        let own = configuration.clientCertificate.map { [$0.certificateFile, $0.keyFile] } ?? []
        if let authorityFile = configuration.authorityFile { return own + [authorityFile] }
        return own + SystemTrust.paths
    }
}
