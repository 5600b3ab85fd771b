// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The rules of a message that can be broken. The raw value is the code of metrics and logs.
enum HTTPRule: String, Sendable, CaseIterable {
    // Start lines.
    case emptyLines = "empty-lines"
    case method = "method"
    case methodLength = "method-length"
    case requestLine = "request-line"
    case target = "target"
    case targetLength = "target-length"
    case version = "version"
    case versionUnsupported = "version-unsupported"
    case statusLine = "status-line"

    // Targets and what is served.
    case absoluteForm = "absolute-form"
    case asteriskForm = "asterisk-form"
    case connect = "connect"
    case trace = "trace"
    case doubleSlash = "double-slash"
    case dotSegment = "dot-segment"
    case percentTriplet = "percent-triplet"
    case encodedControl = "encoded-control"
    case prefixBoundary = "prefix-boundary"

    // Lines and fields.
    case bareCarriageReturn = "bare-cr"
    case bareLineFeed = "bare-lf"
    case obsoleteFolding = "obs-fold"
    case spaceInFieldName = "field-name-space"
    case emptyFieldName = "field-name-empty"
    case fieldName = "field-name"
    case missingColon = "missing-colon"
    case fieldValue = "field-value"
    case headLength = "head-length"
    case fieldCount = "field-count"

    // Fields with a meaning.
    case hostMissing = "host-missing"
    case hostRepeated = "host-repeated"
    case host = "host"
    case connection = "connection"
    case connectionOptions = "connection-options"
    case expectation = "expectation"
    case upgradeWithContent = "upgrade-with-content"
    case upgradeUnasked = "upgrade-unasked"

    // Framing.
    case contentLength = "content-length"
    case contentLengthRepeated = "content-length-repeated"
    case contentLengthWithCoding = "content-length-with-te"
    case transferCoding = "transfer-coding"
    case transferCodingUnknown = "transfer-coding-unknown"
    case transferCodingVersion = "transfer-coding-version"
    case contentTooLarge = "content-too-large"

    // Chunks.
    case chunkSize = "chunk-size"
    case chunkExtension = "chunk-extension"
    case chunkExtensionLength = "chunk-extension-length"
    case chunkEnd = "chunk-end"
    case trailerLength = "trailer-length"
}
