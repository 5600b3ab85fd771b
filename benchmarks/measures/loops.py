# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Two loops against one, each on a core of its own."""

from harness import contenders, tools
from harness.machine import CORES
from harness.report import Row
from harness.rounds import column, cost_of_load, median, ratio

TITLE = "two loops against one"
WANTED = "at least 1.8 × where cores allow"


def run(bench):
    if len(CORES) < 4:
        return [Row(TITLE, WANTED, f"not measured: it takes 4 cores, there are {len(CORES)}", None,
                    "Two cores for the loops, and one each for load and upstream.")]
    bench.tell(TITLE)
    taken = {1: [], 2: []}
    for _ in range(bench.rounds):
        for threads, rounds in taken.items():
            contender = contenders.Agent(bench.folder, bench.upstream, threads=threads)
            with contender.start(core=CORES[2:2 + threads]) as process:
                rounds.append(cost_of_load(process, lambda contender=contender: tools.load(
                    "--port", contender.port, "--path", "/plain/small", "--connections", 128, "--seconds",
                    bench.seconds, core=CORES[1])))
    gain = ratio(column(taken[2], "rps"), column(taken[1], "rps"))
    busy = median(column(taken[2], "busy")) / 2
    return [Row(TITLE, WANTED, f"{gain:.2f} ×" + ("" if busy >= 0.95 else f", but only {busy:.0%} busy"),
                gain >= 1.8 if busy >= 0.95 or gain >= 1.8 else None,
                "128 connections; the loops have two cores, load and upstream one each.")]
