// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

extension FieldSpec {
    /// Takes the token, and its end if it is told, out of what a source answered.
    ///
    /// - Throws: `.empty` or `.malformed`; the message names the place and quotes nothing of the answer.
    func value(in answer: Span<UInt8>) throws(CredentialFailure) -> SourceValue {
        switch self {
        case .raw:
            return SourceValue(secret: try TokenRules.validated(answer))
        case .json(let token, let expiry):
            return try Self.value(inJSON: answer, token: token, expiry: expiry)
        case .dotenv(let key):
            guard let line = Self.line(of: key, in: answer) else {
                throw CredentialFailure(.malformed, "the file has no line \(key)=…; see the name of the variable")
            }
            return SourceValue(secret: try TokenRules.validated(line.span))
        }
    }

    private static func value(
        inJSON answer: Span<UInt8>, token: String, expiry: String?
    ) throws(CredentialFailure) -> SourceValue {
        if answer.isEmpty { throw CredentialFailure(.empty, "the source answered with nothing; JSON was expected") }
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue.decode(answer) } catch {
            throw CredentialFailure(.malformed, "the answer is \(error); see what the source prints")
        }
        let found = try Self.find(token, in: document)
        guard let text = found?.stringValue else {
            throw CredentialFailure(
                .malformed,
                "the answer has \(found.map { "\($0.kind)" } ?? "nothing") at \(token), where the token should be; "
                    + "see field in its configuration, and what the source prints")
        }
        var value = SourceValue(secret: try TokenRules.validated(text.utf8.span))
        if let expiry {
            let found = try Self.find(expiry, in: document)
            value.expiry =
                found?.stringValue.map { ExpiryText.expiry($0) } ?? found?.doubleValue.map { ExpiryText.expiry($0) }
                ?? nil
            if value.expiry == nil, found != .null {
                // null says that there is none. Silence about a pointer that leads nowhere would be a token in use beyond its end.
                throw CredentialFailure(
                    .malformed,
                    (found.map { "the answer has \($0.kind) at \(expiry) that is no time" }
                        ?? "the answer has nothing at \(expiry), where its end should be")
                        + "; seconds or a date of RFC 3339 is needed, see expiryField in its configuration")
            }
        }
        return value
    }

    private static func find(_ pointer: String, in document: JSONValue) throws(CredentialFailure) -> JSONValue? {
        do throws(JSONPointerError) { return document[try JSONPointer(pointer)] } catch {
            throw CredentialFailure(.malformed, "\(error)")
        }
    }

    /// The value of the last `key=` line, as dotenv files have it: `export ` before it and quotes around it are taken
    /// off, a comment behind an unquoted value too. Nothing in it is expanded.
    private static func line(of key: String, in file: Span<UInt8>) -> [UInt8]? {
        let (space, tab) = (UInt8(ascii: " "), UInt8(ascii: "\t"))
        var found: [UInt8]?
        var start = 0
        while start < file.count {
            var end = start
            while end < file.count, file[end] != UInt8(ascii: "\n") { end += 1 }
            var line: ArraySlice<UInt8> = []
            for index in start..<end { line.append(file[index]) }
            start = end + 1
            while let last = line.last, last == space || last == tab || last == UInt8(ascii: "\r") { line.removeLast() }
            line = line.drop { $0 == space || $0 == tab }
            if line.starts(with: "export ".utf8) { line = line.dropFirst(7).drop { $0 == space } }
            guard line.starts(with: key.utf8) else { continue }
            line = line.dropFirst(key.utf8.count).drop { $0 == space || $0 == tab }
            guard line.first == UInt8(ascii: "=") else { continue }
            line = line.dropFirst().drop { $0 == space || $0 == tab }
            if let quote = line.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let closing = line.dropFirst().firstIndex(of: quote)
            {
                line = line[(line.startIndex + 1)..<closing]
            } else if let comment = line.indices.dropFirst().first(where: {
                line[$0] == UInt8(ascii: "#") && (line[$0 - 1] == space || line[$0 - 1] == tab)
            }) {
                line = line[..<comment]
                while let last = line.last, last == space || last == tab { line.removeLast() }
            }
            found = Array(line)
        }
        return found
    }
}
