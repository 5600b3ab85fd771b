# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""What the agent takes while it does nothing: memory, wake-ups; and how soon it answers when a call starts it."""

import os
import socket
import time

from harness import contenders, tools
from harness.machine import MEASURED_CORE
from harness.process import Process
from harness.report import Row
from harness.rounds import median, running


def run(bench):
    return [*memory_and_wakeups(bench), cold_start(bench)]


def memory_and_wakeups(bench):
    bench.tell("idle memory and wake-ups")
    kinds = [kind for kind in bench.kinds if kind is not contenders.LoggingNginx]
    count = bench.requests
    table = [["proxy", "after start", f"after {count:,} requests", "its own pages then"]]
    figures = {}
    with running(bench, kinds) as found:
        time.sleep(1)
        for name, (contender, process) in found.items():
            start = process.resident()
            tools.load("--port", contender.port, "--path", "/plain/small", "--connections", 64, "--requests", count)
            time.sleep(1)
            figures[name] = start, process.resident()
            table.append([name, *(f"{size / 1e6:.1f} MB" for size in (*figures[name], process.private()))])
    with running(bench, [contenders.Agent]) as found:
        contender, process = found[contenders.Agent.name]
        tools.load("--port", contender.port, "--path", "/plain/small", "--connections", 8, "--requests", 1000)
        # Connections to the upstream that nobody uses are closed within 50 s: that is a wake-up of its own.
        time.sleep(bench.settle)
        before = process.sleeps()
        time.sleep(bench.idle_seconds)
        after = process.sleeps()
    woken = {thread: after[thread] - before.get(thread, 0) for thread in after if after[thread] > before.get(thread, 0)}
    start, end = figures[contenders.Agent.name]
    return [
        Row("memory idle, after start", "under 12 MB resident (10 is the aim)", f"{start / 1e6:.1f} MB", start < 12e6,
            "Resident pages, shared libraries included, a second after the start.", table),
        Row(f"memory after {count:,} requests", "under 12 MB, and no growth since the start", f"{end / 1e6:.1f} MB",
            end < 12e6 and end - start < 0.5e6, "A second after the last of them, on 64 connections; up to 0.5 MB "
            "(first use of code pages and buffers) is not called growth."),
        Row(f"wake-ups idle in {bench.idle_seconds:g} s", "0", f"{sum(woken.values())} {woken or ''}".strip(),
            not woken, f"Voluntary context switches of all threads, {bench.settle:g} s after the last request; no "
            "watchdog was set."),
    ]


def cold_start(bench):
    """The caller's connection waits in the socket's queue before the process exists, as with systemd."""
    bench.tell("cold start")
    times = []
    for number in range(bench.starts):
        contender = contenders.Agent(bench.folder, bench.upstream)
        contender.configure()
        with socket.socket() as listener, socket.socket() as caller:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            caller.connect(listener.getsockname())
            caller.sendall(b"GET /plain/small HTTP/1.1\r\nHost: localhost\r\n\r\n")

            def take_place(listener=listener):
                os.dup2(listener.fileno(), 3)
                os.set_inheritable(3, True)

            begin = time.monotonic()
            # LISTEN_PID must be the agent's own: the shell becomes it.
            command = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *contender.command()]
            with Process(command, MEASURED_CORE, contender.folder / "log", {"LISTEN_FDS": "1"}, pass_fds=[3],
                         prepare=take_place):
                caller.settimeout(20)
                answer = caller.recv(4096)
                times.append(time.monotonic() - begin)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"cold start: {answer[:200]!r}")
    middle = median(times) * 1000
    return Row("start to first answer, cold", "under 20 ms", f"{middle:.1f} ms", middle < 20,
               f"Median of {bench.starts} starts with a passed socket on which a call already waits: from before "
               "fork(2) to the first byte of the upstream's answer, so with configuration, credential and "
               f"connection. Files are in the page cache. "
               f"Fastest {min(times) * 1000:.1f} ms, slowest {max(times) * 1000:.1f} ms.")
