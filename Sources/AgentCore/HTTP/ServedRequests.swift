// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

/// Which requests are served at all, whatever their route.
///
/// The one place to open for a forward proxy: it would take `.connect` and `.absolute` from here.
enum ServedRequests {
    /// Refuses what no route can serve. A head that passes is in origin form: its path begins with one slash and
    /// holds nothing that is left to resolve (`RequestTarget.checkPath`).
    static func check(_ head: borrowing RequestHead) throws(HTTPError) {
        switch head.form {
        case .origin: break
        case .absolute: throw HTTPError(.absoluteForm)
        case .asterisk: throw HTTPError(.asteriskForm)
        case .authority: throw HTTPError(.connect)
        }
        // An upstream echoes a TRACE, the injected credential with it (RFC 9110 §9.3.8).
        if head.method == .trace { throw HTTPError(.trace) }
    }
}
