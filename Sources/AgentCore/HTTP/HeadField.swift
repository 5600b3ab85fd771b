// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// One received field line: where its name and value stand, and which name it is.
struct HeadField: Sendable, Equatable {
    let nameRange: ByteRange
    /// Without the whitespace around it.
    let valueRange: ByteRange
    let name: FieldName
    let marks: Marks

    struct Marks: OptionSet, Sendable, Hashable {
        let rawValue: UInt8
        /// The line reads `name: value`, one space and no whitespace at the end: it can be copied as it stands.
        static let canonical = Marks(rawValue: 1)
        /// The name holds `_`, which many servers take for `-`.
        static let underscore = Marks(rawValue: 2)
    }
}
