// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Writes metrics as Prometheus reads them (text exposition format 0.0.4).
struct MetricsText: ~Copyable {
    private(set) var buffer = ByteBuffer(capacity: 4096)
    private var name: StaticString = ""

    static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind { case counter, gauge, histogram }

    /// The whole text.
    consuming func finish() -> String {
        let bytes = buffer.readable
        return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }

    typealias Labels = KeyValuePairs<StaticString, String>

    /// Begins a metric; the samples that follow are its own. Each is begun once.
    mutating func family(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        self.name = name
        buffer.append("# HELP ")
        buffer.append(name)
        buffer.append(UInt8(ascii: " "))
        buffer.append(help)
        buffer.append("\n# TYPE ")
        buffer.append(name)
        switch kind {
        case .counter: buffer.append(" counter\n")
        case .gauge: buffer.append(" gauge\n")
        case .histogram: buffer.append(" histogram\n")
        }
    }

    mutating func sample(_ value: UInt64, _ labels: Labels = [:]) {
        begin(labels)
        buffer.append(decimal: value)
        buffer.append(UInt8(ascii: "\n"))
    }

    mutating func sample(signed value: Int64, _ labels: Labels = [:]) {
        begin(labels)
        buffer.append(signedDecimal: value)
        buffer.append(UInt8(ascii: "\n"))
    }

    /// In seconds.
    mutating func sample(nanoseconds: Int64, _ labels: Labels = [:]) {
        begin(labels)
        buffer.append(seconds: nanoseconds)
        buffer.append(UInt8(ascii: "\n"))
    }

    mutating func sample(_ histogram: Histogram, _ labels: Labels = [:]) {
        var count: UInt64 = 0
        for (index, inBucket) in histogram.counts.enumerated() {
            count &+= inBucket
            begin(labels, suffix: "_bucket", bound: index < Histogram.bounds.count ? Histogram.bounds[index] : nil)
            buffer.append(decimal: count)
            buffer.append(UInt8(ascii: "\n"))
        }
        begin(labels, suffix: "_sum")
        buffer.append(seconds: Int64(clamping: histogram.sumNanoseconds))
        buffer.append(UInt8(ascii: "\n"))
        begin(labels, suffix: "_count")
        buffer.append(decimal: count)
        buffer.append(UInt8(ascii: "\n"))
    }

    private mutating func begin(_ labels: Labels, suffix: StaticString = "", bound: Int64?? = nil) {
        buffer.append(name)
        buffer.append(suffix)
        var separator = UInt8(ascii: "{")
        for (key, value) in labels {
            buffer.append(separator)
            buffer.append(key)
            buffer.append("=\"")
            append(labelValue: value)
            buffer.append(UInt8(ascii: "\""))
            separator = UInt8(ascii: ",")
        }
        if let bound {
            buffer.append(separator)
            buffer.append("le=\"")
            if let bound { buffer.append(seconds: bound) } else { buffer.append("+Inf") }
            buffer.append(UInt8(ascii: "\""))
            separator = UInt8(ascii: ",")
        }
        if separator == UInt8(ascii: ",") { buffer.append(UInt8(ascii: "}")) }
        buffer.append(UInt8(ascii: " "))
    }

    /// Only these three are escaped; all else stands as it is.
    private mutating func append(labelValue text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): buffer.append("\\\\")
            case UInt8(ascii: "\""): buffer.append("\\\"")
            case UInt8(ascii: "\n"): buffer.append("\\n")
            default: buffer.append(byte)
            }
        }
    }
}
