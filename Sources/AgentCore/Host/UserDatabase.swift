// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

import Glibc

/// The users and groups of this host: nsswitch.conf(5), so also LDAP and systemd's.
///
/// Every call may block for as long as a directory server takes: off the loop only.
enum UserDatabase {
    /// Nil when no such user is known.
    static func name(of uid: uid_t) throws(SystemError) -> String? {
        unsafe try user("getpwuid_r", "\(uid)") { unsafe getpwuid_r(uid, $0, $1, $2, $3) }?.name
    }

    /// Nil when no such user is known.
    static func uid(named name: String) throws(SystemError) -> uid_t? {
        guard name.isLookupName else { return nil }
        return unsafe try user("getpwnam_r", name) { unsafe getpwnam_r(name, $0, $1, $2, $3) }?.uid
    }

    /// Nil when no such group is known.
    static func gid(named name: String) throws(SystemError) -> gid_t? {
        guard name.isLookupName else { return nil }
        return unsafe try group("getgrnam_r", name) { unsafe getgrnam_r(name, $0, $1, $2, $3) }?.gid
    }

    /// Nil when no such group is known.
    static func groupName(of gid: gid_t) throws(SystemError) -> String? {
        unsafe try group("getgrgid_r", "\(gid)") { unsafe getgrgid_r(gid, $0, $1, $2, $3) }?.name
    }

    /// All groups that the database gives a user, its primary one first; empty for a user who is not known.
    static func groups(of uid: uid_t) throws(SystemError) -> [gid_t] {
        guard let user = unsafe try user("getpwuid_r", "\(uid)", { unsafe getpwuid_r(uid, $0, $1, $2, $3) }) else {
            return []
        }
        var capacity: Int32 = 64
        while true {
            var groups = [gid_t](repeating: 0, count: Int(capacity))
            var count = capacity
            if unsafe getgrouplist(user.name, user.gid, &groups, &count) >= 0 {
                return [user.gid] + groups[..<Int(count)].filter { $0 != user.gid }
            }
            // 65,536 is NGROUPS_MAX: no process can have more.
            guard count > capacity || capacity < 65_536 else {
                throw SystemError("getgrouplist", code: ERANGE, on: user.name)
            }
            capacity = min(max(count, capacity * 2), 65_536)
        }
    }

    // MARK: Growing buffers

    private typealias UserCall = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func user(
        _ call: StaticString, _ subject: String, _ look: UserCall
    ) throws(SystemError) -> (name: String, uid: uid_t, gid: gid_t)? {
        try growing(call, subject) { buffer in
            var entry = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return ERANGE }
                return unsafe look(&entry, base, buffer.count, &found)
            }
            guard let found = unsafe found, let name = unsafe found.pointee.pw_name else { return (code, nil) }
            return unsafe (code, (String(cString: name), found.pointee.pw_uid, found.pointee.pw_gid))
        }
    }

    private typealias GroupCall = (
        UnsafeMutablePointer<Glibc.group>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<Glibc.group>?>
    ) -> Int32

    private static func group(
        _ call: StaticString, _ subject: String, _ look: GroupCall
    ) throws(SystemError) -> (name: String, gid: gid_t)? {
        try growing(call, subject) { buffer in
            var entry = unsafe Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            let code = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return ERANGE }
                return unsafe look(&entry, base, buffer.count, &found)
            }
            guard let found = unsafe found, let name = unsafe found.pointee.gr_name else { return (code, nil) }
            return unsafe (code, (String(cString: name), found.pointee.gr_gid))
        }
    }

    /// Asks again with more room while the answer is ERANGE; a group with thousands of members needs much.
    private static func growing<Entry>(
        _ call: StaticString, _ subject: String, _ look: (inout [CChar]) -> (code: Int32, entry: Entry?)
    ) throws(SystemError) -> Entry? {
        var capacity = 1024
        while true {
            var buffer = [CChar](repeating: 0, count: capacity)
            let (code, entry) = look(&buffer)
            switch code {
            case 0: return entry
            case EINTR: continue
            case ERANGE where capacity < 16 << 20: capacity *= 4
            // What getpwnam(3) lists for "not found" besides 0.
            case ENOENT, ESRCH, EBADF, EPERM: return nil
            default: throw SystemError(call, code: code, on: subject)
            }
        }
    }
}

extension String {
    /// A C function would take a name with a NUL for another, shorter one.
    fileprivate var isLookupName: Bool { !isEmpty && !utf8.contains(0) }
}
