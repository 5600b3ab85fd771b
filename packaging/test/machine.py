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
# A number to tell root folders of different contents apart: raise it when INCLUDED changes.
EDITION = 1
SPAWN = pathlib.Path(__file__).resolve().with_name("spawn.sh")
CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
    "TERM": "dumb", "DEBIAN_FRONTEND": "noninteractive",
}


class MachineError(Exception):
    """A machine that does not do what was asked of it, as a sentence."""


# And for a virtual machine, which needs a kernel of its own.
KERNEL = ["linux-image-cloud-amd64", "initramfs-tools", "zstd"]


def build(suite: str, kernel: bool = False) -> pathlib.Path:
    """The root folder of a release; made if it is not there."""
    name = f"{suite}-{EDITION}{'-kernel' if kernel else ''}"
    root = CACHE / name
    if (root / "usr/bin/systemctl").exists() or (root / "bin/systemctl").exists():
        return root
    for tool, package in [("mmdebstrap", "mmdebstrap"), ("systemd-nspawn", "systemd-container")]:
        if not shutil.which(tool):
            raise MachineError(f"there is no {tool}; run: apt-get install --no-install-recommends {package}")
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = CACHE / f".{name}.{os.getpid()}"
    subprocess.run(
        ["nice", "mmdebstrap", "--variant=minbase", "--format=directory", "--quiet",
         f"--include={','.join(INCLUDED + (KERNEL if kernel else []))}", "--aptopt=Acquire::Languages \"none\"",
         # An empty machine-id is filled in at the first boot; the folder makes the journal outlive a reboot.
         "--customize-hook=rm -f \"$1/etc/hostname\"; : >\"$1/etc/machine-id\"; mkdir -p \"$1/var/log/journal\"",
         suite, str(fresh)], check=True)
    fresh.rename(root)
    return root


class Machine:
    """One machine. `with Machine(name) as machine:` boots it and removes it at the end."""

    def __init__(self, name: str, suite: str = "bookworm") -> None:
        self.name, self.suite = name, suite
        self.folder = CACHE / "running" / name
        self.boot_seconds = 0.0

    def __enter__(self) -> Machine:
        self.remove()
        self.boot()
        return self

    def __exit__(self, *_: object) -> None:
        if not os.environ.get("KEEP_MACHINE"):
            self.remove()

    # Life

    def boot(self) -> None:
        root = build(self.suite)
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
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
            if time.monotonic() - begin > 60:
                raise MachineError(f"{self.name} is {state or 'not up'} after 60 s: {self.console()}")
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
        except (OSError, ValueError):
            return None
        return int(children[0]) if children else None

    def stop(self) -> None:
        """Shuts down in order, as `poweroff` does."""
        leader = self.leader()
        if leader is not None:
            outer = int((self.folder / "pid").read_text())
            os.kill(leader, signal.SIGRTMIN + 4)  # systemd(1): start poweroff.target
            if not self.gone(outer, 45):
                os.kill(leader, signal.SIGKILL)
                self.gone(outer, 5)
        for parent in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
            group = pathlib.Path(parent, f"machine-{self.name}")
            if group.is_dir():
                for folder in sorted((p for p in group.rglob("*") if p.is_dir()), reverse=True):
                    folder.rmdir()
                group.rmdir()

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
        self.stop()
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
        result = subprocess.run(
            [*self.prefix(), *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", **{"timeout": 120, **options})
        if check and result.returncode:
            raise MachineError(f"{' '.join(command)}: exit status {result.returncode}\n{result.stdout}")
        return result

    def start(self, *command: str, **options: object) -> subprocess.Popen:
        """Starts a command in the machine and does not wait."""
        return subprocess.Popen([*self.prefix(), *command], **options)

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
