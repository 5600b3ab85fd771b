# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Counts instructions in user space with callgrind."""

import collections
import re
import time

from . import tools
from .machine import CORES

BASE, MORE = 100, 1000


def of_a_life(agent, calls, output="/dev/null") -> int:
    """Begins the agent under callgrind, makes the calls, ends it, and tells how many instructions that took."""
    wrapper = ["valgrind", "--tool=callgrind", "--demangle=no", "--dump-instr=yes", "--compress-pos=no",
               f"--callgrind-out-file={output}"]
    # An agent that has no connection left to an upstream gives memory back, which costs as much again: in a life that
    # a busy machine makes long, and in another not.
    agent.values["timeouts"] = 'upstreamKeepAlive: "1d"'
    with agent.start(CORES, wrapper) as process:
        # It gives the start's memory back after a moment: a million instructions, in one of two lives otherwise.
        time.sleep(2)
        for call in calls:
            call()
        process.stop()
    return int(re.search(r"Collected : (\d+)", (agent.folder / "log").read_text()).group(1))


def by_cache_line(output) -> collections.Counter:
    """How often instructions ran in each 64 bytes of code."""
    found = collections.Counter()
    with open(output, encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("calls="):
                next(file)  # what the called function cost: it is counted there
            elif line.startswith("0x"):
                address, _, cost = line.split()
                found[int(address, 16) // 64] += int(cost)
    return found


def a_request(make_agent, arguments) -> float:
    """Two lives with different numbers of requests: in the difference the start cancels out."""
    totals = []
    for count in (BASE, BASE + MORE):
        agent = make_agent()
        totals.append(of_a_life(agent, [
            lambda agent=agent, count=count: tools.load("--port", agent.port, "--requests", count, *arguments)]))
    return (totals[1] - totals[0]) / MORE
