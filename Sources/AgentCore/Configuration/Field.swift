// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// How one value of the configuration is read: a value, or nil once what is wrong with it has been reported.
struct Field<Value>: Sendable {
    let read: @Sendable (ConfigurationNode, ConfigurationReport) -> Value?

    /// A value made of a string; `convert` throws what is wrong with it.
    static func text(
        _ hint: String, _ convert: @escaping @Sendable (String) throws(Misfit) -> Value
    ) -> Field {
        Field { node, report in
            guard case .scalar(.string(let text)) = node.content else {
                report.add(node, node.shown, hint: hint)
                return nil
            }
            do throws(Misfit) {
                return try convert(text)
            } catch {
                report.add(node, error.message ?? node.shown, hint: error.hint ?? hint)
                return nil
            }
        }
    }

    /// The same, where the value must not be shown: it stands where a secret is pasted by mistake.
    var unshown: Field {
        Field { node, report in
            let inner = ConfigurationReport()
            if let value = read(node, inner) { return value }
            for problem in inner.problems {
                let shows = problem.message == node.shown
                report.add(node, shows ? "does not fit" : problem.message, hint: problem.hint)
            }
            return nil
        }
    }

    /// The same value, which must satisfy one condition more.
    func checked(_ check: @escaping @Sendable (Value) -> Misfit?) -> Field {
        Field { node, report in
            guard let value = read(node, report) else { return nil }
            guard let misfit = check(value) else { return value }
            report.add(node, misfit.message ?? node.shown, hint: misfit.hint)
            return nil
        }
    }
}

/// What is wrong with a value; nil parts are filled in by the field: `is "the value"`, and how to write it.
struct Misfit: Error {
    var message: String?
    var hint: String?
}

extension ConfigurationNode {
    /// The value as messages show it: `is "900x"`, `is 7`, `is a list`.
    var shown: String {
        switch content {
        case .scalar(.string(let text)): "is \(QuotedText.quote(text))"
        case .scalar(.integer(let integer)): "is \(integer)"
        case .scalar(.number(let number)): "is \(number)"
        case .scalar(.bool(let bool)): "is \(bool)"
        default: "is \(kind)"
        }
    }
}

extension Field<Bool> {
    static let bool = Field { node, report in
        if case .scalar(.bool(let bool)) = node.content { return bool }
        report.add(node, node.shown, hint: "write true or false")
        return nil
    }
}

extension Field<Int> {
    static func integer(in range: ClosedRange<Int>) -> Field {
        Field { node, report in
            if case .scalar(.integer(let integer)) = node.content, let value = Int(exactly: integer),
                range.contains(value)
            {
                return value
            }
            report.add(node, node.shown, hint: "write a number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
    }
}

extension Field<String> {
    /// Text that may be anything but empty, and holds no NUL.
    static let string = text("write text in quotes") { text throws(Misfit) in
        if text.isEmpty { throw Misfit(message: "is empty") }
        if text.utf8.contains(0) { throw Misfit(message: "holds a NUL byte", hint: "delete it") }
        return text
    }

    /// A path from the root: the agent's working folder is nobody's business.
    static func absolutePath(such example: String) -> Field {
        text("write an absolute path, such as \"\(example)\"") { text throws(Misfit) in
            guard text.hasPrefix("/"), text.utf8.count < 4096, !text.utf8.contains(0) else { throw Misfit() }
            return text
        }
    }

    static let secretPath = absolutePath(such: "/etc/gateway-agent/credentials/gateway")
    static let pemPath = absolutePath(such: "/etc/gateway-agent/ca.pem")

    /// RFC 9110 §5.1, in lower case.
    static let fieldName = text("write the name of a header field, such as \"x-api-key\"") { text throws(Misfit) in
        guard let form = HeaderForm(field: text, scheme: nil) else { throw Misfit() }
        return form.field
    }

    /// RFC 6901; kept as text once it is known to be one.
    static let pointer = text("write a JSON pointer, such as \"/token\"") { text throws(Misfit) in
        do throws(JSONPointerError) {
            return try JSONPointer(text).description
        } catch .noSlash {
            throw Misfit(hint: "write \(QuotedText.quote("/" + text))")
        } catch {
            throw Misfit(hint: "write \"~\" as \"~0\" and \"/\" in a key as \"~1\"")
        }
    }
}

extension Field where Value: RawRepresentable & CaseIterable & SendableMetatype, Value.RawValue == String {
    /// One of a few words.
    static var word: Field {
        let words = Value.allCases.map(\.rawValue)
        return text("write one of \(words.map { "\"\($0)\"" }.joined(separator: ", "))") { text throws(Misfit) in
            if let word = Value(rawValue: text) { return word }
            throw Misfit(hint: Suggestion.nearest(to: text, among: words).map { "did you mean \"\($0)\"?" })
        }
    }
}

extension Field {
    /// A list, each element read by `element`; every wrong element is reported.
    static func list<Element>(of element: Field<Element>) -> Field<[Element]> where Value == [Element] {
        Field { node, report in
            guard case .list(let nodes) = node.content else {
                report.add(node, "is \(node.kind)", hint: "write a list: [ … ]")
                return nil
            }
            let values = nodes.map { element.read($0, report) }
            return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
        }
    }

    /// One value, or a list of them.
    static func oneOrMore<Element>(of element: Field<Element>) -> Field<[Element]> where Value == [Element] {
        Field { node, report in
            if case .list = node.content { return Field.list(of: element).read(node, report) }
            return element.read(node, report).map { [$0] }
        }
    }
}
