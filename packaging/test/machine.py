#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""machine.py - a throw-away Debian with systemd as its first process, for testing the package as it will run.

The root folder of a release is made once and kept in the cache, outside of the checkout; a machine is an overlay on it
with a network of its own (loopback only), so several may run at once and nothing of the host is touched. Works on hosts
whose own first process is not systemd. Needs root, and the Debian packages systemd-container and mmdebstrap.

    machine.py build [SUITE]            make the cached root folder
    machine.py boot NAME [SUITE]        start a machine and leave it running
    machine.py run NAME COMMAND...      run a command in it
    machine.py stop NAME                shut it down; its overlay stays
    machine.py remove NAME              and throw the overlay away

Environment: GATEWAY_AGENT_CACHE, the cache's folder (default ~/.cache/gateway-agent/machines).
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

CACHE = pathlib.Path(os.environ.get("GATEWAY_AGENT_CACHE") or "~/.cache/gateway-agent/machines").expanduser()
# Only what boots, answers apt and runs the fakes: a dependency that the package forgets must be missed here.
# ca-certificates brings libssl3 along, since the machine has no network to fetch it by.
INCLUDED = [
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "libnss-systemd", "python3", "iproute2", "procps",
    "ca-certificates",
]
# Timers of Debian that would hold the lock of dpkg for a while, when the hour of one passes or has been missed.
NOT_HERE = ["apt-daily.timer", "apt-daily-upgrade.timer"]
# A number to tell root folders of different contents apart: raise it when INCLUDED changes.
EDITION = 1
SPAWN = pathlib.Path(__file__).resolve().with_name("spawn.sh")
CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
    "TERM": "dumb", "DEBIAN_FRONTEND": "noninteractive",
}


class MachineError(Exception):
    """A machine that does not do what was asked of it, as a sentence."""


# What other roots hold besides: a virtual machine needs a kernel of its own.
MORE = {"kernel": ["linux-image-cloud-amd64", "initramfs-tools", "zstd"], "autopkgtest": ["autopkgtest", "dpkg-dev"]}


def probe() -> None:
    """Tries what a machine needs of this host, so that a host which cannot do it says so in one sentence."""
    if os.geteuid() != 0:
        raise MachineError("a machine needs root, for mounts and a control group; run it with sudo")
    result = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "--uts", "--ipc", "--net", "--pid", "--fork", "sh", "-c",
         'mount -t cgroup2 cgroup2 /mnt && mkdir "/mnt/$1" && rmdir "/mnt/$1" && mount -t tmpfs tmpfs /mnt', "sh",
         f"machine-probe-{os.getpid()}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        raise MachineError(
            f"this host lets root boot no machine ({result.stdout.strip() or 'unshare fails'}); it needs mounts,"
            " namespaces and a writable cgroup2, as a host or a privileged container has them")


def build(suite: str, more: str = "") -> pathlib.Path:
    """The root folder of a release; made if it is not there."""
    name = f"{suite}-{EDITION}{'-' if more else ''}{more}"
    root = CACHE / name
    if (root / "usr/bin/systemctl").exists() or (root / "bin/systemctl").exists():
        return root
    for tool, package in [("mmdebstrap", "mmdebstrap"), ("systemd-nspawn", "systemd-container")]:
        if not shutil.which(tool):
            raise MachineError(f"there is no {tool}; run: apt-get install --no-install-recommends {package}")
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = CACHE / f".{name}.{os.getpid()}"
    print(f"making the root folder {root}, once", file=sys.stderr, flush=True)
    made = subprocess.run(
        ["nice", "mmdebstrap", "--variant=minbase", "--format=directory", "--quiet",
         f"--include={','.join(INCLUDED + MORE.get(more, []))}", "--aptopt=Acquire::Languages \"none\"",
         # An empty machine-id is filled in at the first boot; the folder makes the journal outlive a reboot.
         "--customize-hook=rm -f \"$1/etc/hostname\"; : >\"$1/etc/machine-id\"; mkdir -p \"$1/var/log/journal\"",
         suite, str(fresh)])
    if made.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise MachineError(f"the root folder of {suite} could not be made; see above, and whether apt can reach a mirror")
    try:
        fresh.rename(root)
    except OSError:  # somebody else has made it meanwhile
        shutil.rmtree(fresh)
    return root


class Machine:
    """One machine. `with Machine(name) as machine:` boots it and removes it at the end."""

    def __init__(self, name: str, suite: str = "bookworm", more: str = "") -> None:
        self.name, self.suite, self.more = name, suite, more
        self.folder = CACHE / "running" / name
        self.boot_seconds = 0.0

    def __enter__(self) -> Machine:
        self.sweep()
        self.remove()
        self.boot()
        # In one step: an owner whose number is not written yet would pass for one that is gone.
        (self.folder / "owner.new").write_text(str(os.getpid()))
        (self.folder / "owner.new").rename(self.folder / "owner")
        return self

    @staticmethod
    def sweep() -> None:
        """Removes the machines of runs that were killed."""
        for owner in (CACHE / "running").glob("*/owner"):
            if not pathlib.Path("/proc", owner.read_text() or "0").exists():
                Machine(owner.parent.name).remove()

    def __exit__(self, *_: object) -> None:
        if not os.environ.get("KEEP_MACHINE"):
            self.remove()

    # Life

    def boot(self) -> None:
        root = build(self.suite, self.more)
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        units = self.folder / "upper/etc/systemd/system"
        units.mkdir(parents=True, exist_ok=True)
        for name in NOT_HERE:
            if not (units / name).is_symlink():
                (units / name).symlink_to("/dev/null")
        begin = time.monotonic()
        with open(self.folder / "console.log", "wb") as console:
            process = subprocess.Popen(
                ["setsid", "unshare", "--mount", "--propagation", "private", "bash", str(SPAWN),
                 str(self.folder), self.name, str(root)],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        (self.folder / "pid").write_text(str(process.pid))
        while True:
            if process.poll() is not None:
                raise MachineError(f"{self.name} did not boot: {self.console()}")
            state = self.state()
            if state in ("running", "degraded"):
                break
            if time.monotonic() - begin > 240:
                raise MachineError(f"{self.name} is {state or 'not up'} after 240 s: {self.console()}")
            time.sleep(0.05)
        self.boot_seconds = time.monotonic() - begin

    def console(self) -> str:
        return (self.folder / "console.log").read_text(errors="replace")[-2000:]

    def state(self) -> str:
        if self.leader() is None:
            return ""
        return self.enter("systemctl", "is-system-running", check=False).stdout.strip()

    def leader(self) -> int | None:
        """The machine's first process, by the host's number."""
        try:
            outer = int((self.folder / "pid").read_text())
            children = pathlib.Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
            # What spawn.sh itself runs belongs to the host: a question asked there would be answered for the host.
            inside = [int(child) for child in children
                      if os.readlink(f"/proc/{child}/ns/pid") != os.readlink("/proc/self/ns/pid")]
        except (OSError, ValueError):
            return None
        return inside[0] if inside else None

    def stop(self, in_order: bool = True) -> None:
        """Shuts down in order, as `poweroff` does, or at once."""
        leader = self.leader()
        if leader is not None:
            outer = int((self.folder / "pid").read_text())
            if in_order:
                os.kill(leader, signal.SIGRTMIN + 4)  # systemd(1): start poweroff.target
            if not in_order or not self.gone(outer, 180):
                os.kill(leader, signal.SIGKILL)
                self.gone(outer, 20)
        # Its control groups are seen where its mounts were seen: in the one hierarchy, whatever this host has mounted.
        subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             'mount -t cgroup2 cgroup2 /mnt && cd /mnt && for _ in 1 2 3 4 5; do [ -d "$1" ] || break;'
             ' find "$1" -depth -type d -exec rmdir {} + && break; sleep 0.2; done', "sh", f"machine-{self.name}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def gone(process: int, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if os.waitpid(process, os.WNOHANG)[0]:
                    return True
            except ChildProcessError:  # another run of this program has started it
                if not pathlib.Path(f"/proc/{process}").exists():
                    return True
            time.sleep(0.02)
        return False

    def remove(self) -> None:
        self.stop(in_order=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def reboot(self) -> None:
        self.stop()
        self.boot()

    # Work inside

    def prefix(self) -> list[str]:
        leader = self.leader()
        if leader is None:
            raise MachineError(f"{self.name} is not running")
        return ["nsenter", "-t", str(leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "--",
                "env", "-i", *(f"{name}={value}" for name, value in CLEAN.items())]

    def enter(self, *command: str, check: bool = True, **options: object) -> subprocess.CompletedProcess:
        """Runs a command in the machine; its output comes back as text."""
        if "input" not in options:
            options["stdin"] = subprocess.DEVNULL
        result = subprocess.run(
            [*self.prefix(), *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", **{"timeout": 240, **options})
        if check and result.returncode:
            raise MachineError(f"{' '.join(command)}: exit status {result.returncode}\n{result.stdout}")
        return result

    def start(self, *command: str, **options: object) -> subprocess.Popen:
        """Starts a command in the machine and does not wait."""
        return subprocess.Popen([*self.prefix(), *command], stdin=subprocess.DEVNULL, **options)

    def push(self, source: pathlib.Path, target: str) -> None:
        self.write(target, source.read_bytes(), mode=source.stat().st_mode & 0o777)

    def write(self, target: str, content: bytes | str, mode: int = 0o644) -> None:
        """Writes a file as an editor does: whole, in one step."""
        text = content.encode() if isinstance(content, str) else content
        subprocess.run(
            [*self.prefix(), "sh", "-c",
             'mkdir -p "$(dirname "$1")" && cat >"$1.new" && chmod "$2" "$1.new" && mv "$1.new" "$1"',
             "sh", target, f"{mode:o}"], input=text, check=True, timeout=60)

    def read(self, path: str) -> bytes:
        return subprocess.run(
            [*self.prefix(), "cat", path], stdout=subprocess.PIPE, check=True, timeout=60).stdout


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 64
    verb, rest = arguments[0], arguments[1:]
    if verb == "build":
        print(build(*rest[:1] or ["bookworm"]))
        return 0
    machine = Machine(*(rest[:2] if verb == "boot" else rest[:1]))
    if verb == "boot":
        machine.boot()
        print(f"{machine.name}: {machine.state()} after {machine.boot_seconds:.2f} s")
    elif verb == "run":
        return subprocess.run([*machine.prefix(), *rest[1:]], check=False).returncode
    elif verb == "stop":
        machine.stop()
    elif verb == "remove":
        machine.remove()
    else:
        print(__doc__)
        return 64
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MachineError as error:
        print(f"machine.py: {error}", file=sys.stderr)
        sys.exit(1)
