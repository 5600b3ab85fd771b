# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""A process on a core of its own, and what the kernel counts of it and of its children."""

import dataclasses
import os
import resource
import signal
import subprocess
import time

from .machine import PAGE, TICKS


@dataclasses.dataclass
class CPU:
    """Seconds."""

    user: float
    system: float

    @property
    def total(self) -> float:
        return self.user + self.system

    def __sub__(self, other: "CPU") -> "CPU":
        return CPU(self.user - other.user, self.system - other.system)


def descriptor_limit() -> int:
    """The most descriptors that a process of this user may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, 65536), max(most, 65536)))
    except (ValueError, OSError):
        return most
    return max(most, 65536)


class Process:
    """Begun pinned to one core (or several), ended with the `with` block; its output goes to a file."""

    def __init__(self, command, core, log, environment=None, stdin=None, pass_fds=(), prepare=None):
        self.command = [str(part) for part in command]
        cores = {core} if isinstance(core, int) else set(core)

        def before_exec():
            os.sched_setaffinity(0, cores)
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptor_limit(), descriptor_limit()))
            if prepare:
                prepare()

        self.log = log
        with open(log, "ab") as output:
            self.child = subprocess.Popen(
                self.command, stdin=stdin or subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=before_exec,
                env=dict(os.environ, **(environment or {})), pass_fds=pass_fds, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                # Under callgrind the end takes a while, and the count is told at the very end.
                self.child.wait(60)
            except subprocess.TimeoutExpired:
                # Its session is its own: whatever it started ends with it.
                os.killpg(self.child.pid, signal.SIGKILL)
                self.child.wait()

    @property
    def identifiers(self) -> list[int]:
        """Its own and those of its children (nginx: master and worker)."""
        found = [self.child.pid]
        try:
            with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            pass
        return found

    def cpu(self) -> CPU:
        """Of all threads. The kernel counts whole clock ticks when it shows them, and scales them to the exact sum."""
        user = system = 0
        for pid in self.identifiers:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            user += int(fields[11])
            system += int(fields[12])
        return CPU(user / TICKS, system / TICKS)

    def resident(self) -> int:
        """Bytes, shared pages included; of nginx, the worker alone."""
        sizes = []
        for pid in self.identifiers:
            with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                sizes.append(int(file.read().split()[1]) * PAGE)
        return sizes[-1] if len(sizes) > 1 else sizes[0]

    def private(self) -> int:
        """Bytes that are its own: Private_* of smaps_rollup, all processes."""
        total = 0
        for pid in self.identifiers:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Private_"))
        return total

    def sleeps(self) -> dict[str, int]:
        """How often each thread went to sleep by itself: each is a wake-up."""
        found = {}
        for pid in self.identifiers:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
                    fields = dict(line.split(":", 1) for line in file)
                found[f"{fields['Name'].strip()} {thread}"] = int(fields["voluntary_ctxt_switches"])
        return found

    def has_ended(self) -> bool:
        return self.child.poll() is not None


def wait_until(condition, seconds=20.0, what="condition"):
    """Asks again every hundredth of a second."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError(f"{what}: not within {seconds} s")
