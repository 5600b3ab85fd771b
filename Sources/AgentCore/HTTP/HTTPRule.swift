// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// The rules of a message that can be broken. The raw value is the code of metrics and logs.
enum HTTPRule: String, Sendable, CaseIterable {
    // Start lines.
    case emptyLines = "empty_lines"
    case method = "method"
    case methodLength = "method_length"
    case requestLine = "request_line"
    case target = "target"
    case targetLength = "target_length"
    case version = "version"
    case versionUnsupported = "version_unsupported"
    case statusLine = "status_line"

    // Targets and what is served.
    case absoluteForm = "absolute_form"
    case asteriskForm = "asterisk_form"
    case connect = "connect"
    case trace = "trace"
    case doubleSlash = "double_slash"
    case dotSegment = "dot_segment"
    case percentTriplet = "percent_triplet"
    case encodedControl = "encoded_control"
    case prefixBoundary = "prefix_boundary"

    // Lines and fields.
    case bareCarriageReturn = "bare_cr"
    case bareLineFeed = "bare_lf"
    case obsoleteFolding = "obs_fold"
    case spaceInFieldName = "field_name_space"
    case emptyFieldName = "field_name_empty"
    case fieldName = "field_name"
    case missingColon = "missing_colon"
    case fieldValue = "field_value"
    case headLength = "head_length"
    case fieldCount = "field_count"

    // Fields with a meaning.
    case hostMissing = "host_missing"
    case hostRepeated = "host_repeated"
    case host = "host"
    case connection = "connection"
    case connectionOptions = "connection_options"
    case expectation = "expectation"
    case upgradeWithContent = "upgrade_with_content"
    case upgradeUnasked = "upgrade_unasked"

    // Framing.
    case contentLength = "content_length"
    case contentLengthRepeated = "content_length_repeated"
    case contentLengthWithCoding = "content_length_with_te"
    case transferCoding = "transfer_coding"
    case transferCodingUnknown = "transfer_coding_unknown"
    case transferCodingVersion = "transfer_coding_version"
    case contentTooLarge = "content_too_large"

    // Chunks.
    case chunkSize = "chunk_size"
    case chunkExtension = "chunk_extension"
    case chunkExtensionLength = "chunk_extension_length"
    case chunkEnd = "chunk_end"
    case trailerLength = "trailer_length"
}
