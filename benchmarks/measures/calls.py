# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""System calls and allocations a request: counted, so that they repeat where times do not."""

import re
import signal
import subprocess
import time

from harness import contenders, tools
from harness.report import Row
from harness.rounds import running

KINDS = [contenders.Agent, contenders.Nginx, contenders.HAProxy]


def run(bench):
    return [system_calls(bench), allocations(bench)]


def system_calls(bench):
    """strace(1) on the running process, on one connection and on many."""
    bench.tell("system calls a request")
    kinds = [kind for kind in KINDS if kind in bench.kinds]
    counted: dict[tuple[str, int], dict[str, float]] = {}
    with running(bench, kinds) as found:
        for name, (contender, process) in found.items():
            for connections in (1, 64):
                call = ["--port", contender.port, "--path", "/plain/small", "--connections", connections]
                tools.load(*call, "--requests", 500)
                counted[name, connections] = traced(process, lambda call=call: tools.load(*call, "--requests", 4000))
    table = [["proxy", "connections", "in all", "which"]]
    for (name, connections), counts in counted.items():
        which = ", ".join(f"{call} {count:.2f}" for call, count in sorted(counts.items(), key=lambda item: -item[1])
                          if count >= 0.01)
        table.append([name, connections, f"{sum(counts.values()):.2f}", which])
    ours, nginx = (sum(counted[kind.name, 64].values()) for kind in KINDS[:2])
    return Row("system calls a request", "each that is not needed is gone; nginx beside it",
               f"{ours:.2f}, nginx {nginx:.2f} (64 connections)", ours <= nginx,
               "strace -c -f on the running process during 4,000 requests; while it is traced, a proxy is slower and "
               "so finds more work at each turn.", table)


def traced(process, call) -> dict[str, float]:
    pids = [word for pid in process.identifiers for word in ("-p", str(pid))]
    tracer = subprocess.Popen(
        ["strace", "-c", "-f", *pids], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    result = call()
    tracer.send_signal(signal.SIGINT)
    _, text = tracer.communicate(timeout=20)
    found = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 5 and re.fullmatch(r"[\d.]+", fields[0]) and fields[-1] != "total":
            found[fields[-1]] = int(fields[3]) / result["answers"]
    return found


def allocations(bench):
    """Calls of malloc(3) and its like, by a library loaded before libc; two runs, so that the start cancels out."""
    bench.tell("allocations a request")
    shim = tools.compiled("allocations", "-shared", "-fPIC", "-ldl", suffix=".so")
    table = [["proxy", "small request", "connection and request"]]
    figures = {}
    for kind in [kind for kind in KINDS if kind in bench.kinds]:
        kept = [counted(bench, kind, shim, 2000, 0), counted(bench, kind, shim, 4000, 0), ]
        fresh = counted(bench, kind, shim, 2000, 500)
        figures[kind.name] = (kept[1] - kept[0]) / 2000
        table.append([kind.name, f"{figures[kind.name]:.2f}", f"{(fresh - kept[0]) / 500:.1f}"])
    ours = figures[contenders.Agent.name]
    return Row("allocations a request on the hot path", "counted; 0 is the aim", f"{ours:.2f}", ours < 0.01,
               "malloc, calloc, realloc and their like, counted by a preloaded library (tools/allocations.c) over two "
               "thousand requests on one connection; in the last column, for a connection that makes one request and "
               "ends. nginx and HAProxy have pools of their own above malloc, so their figures say less.", table)


def counted(bench, kind, shim, requests, connections) -> int:
    contender = kind(bench.folder, bench.upstream)
    contender.environment = {**contender.environment, "LD_PRELOAD": shim}
    with contender.start() as process:
        # The start is over: gateway-agent gives its memory back after a moment, in one of two runs otherwise.
        time.sleep(1)
        call = ["--port", contender.port, "--path", "/plain/small"]
        tools.load(*call, "--requests", requests)
        for _ in range(connections):
            tools.load(*call, "--requests", 1)
        process.stop()
    found = re.findall(r"allocations: (\d+)", (contender.folder / "log").read_text())
    return sum(int(number) for number in found)
