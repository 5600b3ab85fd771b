# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The promises of the package, in the order in which they are tried: each builds on those before it."""

from steps import end, first, load, manager

ALL = [
    first.installed, first.smoke, first.empty, first.as_documented, first.first_call, first.cold_start, first.access,
    first.sources, first.trouble, first.fallback, first.keys, first.kept, first.exposure,
    load.reload, load.restart, load.crowd, load.upgrade, load.kill, load.watchdog, load.broken_reload, load.broken_start,
    load.missing_folder, load.full_disk,
    manager.drain, manager.notify, manager.refused_sockets, manager.port_off, manager.lines, manager.one_person, manager.idle,
    load.reboot,
    end.journal, end.secrets, end.core, end.purge,
]
# What measures times, and is to have the host for itself.
ALONE = (first.cold_start,)
# Without these the others have nothing to stand on.
ALWAYS = (first.installed, first.first_call)
