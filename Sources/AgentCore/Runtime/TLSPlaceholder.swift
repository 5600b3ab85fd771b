struct TLSFailure: Error, CustomStringConvertible { var description: String { "" } }
enum TLSProgress { case done, wantRead, wantWrite }
enum TLSResult { case bytes(Int), wantRead, wantWrite, closed(clean: Bool) }
final class TLSSession {
    func handshake() throws(TLSFailure) -> TLSProgress { .done }
    func read(into: UnsafeMutableRawBufferPointer) throws(TLSFailure) -> TLSResult { .wantRead }
    func write(_ b: UnsafeRawBufferPointer) throws(TLSFailure) -> TLSResult { .wantRead }
    func shutdown() {}
}
