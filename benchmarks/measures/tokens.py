# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""How fast one core hands out a token that is in the cache, beside nginx with a small file of the same content."""

from harness import contenders, tools
from harness.report import Row
from harness.rounds import SATURATED, column, cost_of_load, in_turn, median, ratio, running

CONNECTIONS = 64
PATHS = {contenders.Agent.name: "/-/token/token", contenders.Nginx.name: "/file"}
NEEDED = 40_000


def run(bench):
    bench.tell("tokens a second")
    kinds = [kind for kind in (contenders.Agent, contenders.Nginx) if kind in bench.kinds]
    with running(bench, kinds) as found:
        taken = in_turn(bench, found, lambda *which: measure(bench, *which))
    table = [["server", "answers/s", "answers per CPU second", "user µs", "system µs", "of its core"]]
    for name, rounds in taken.items():
        table.append([name, f"{median(column(rounds, 'rps')):,.0f}", f"{median(column(rounds, 'per_core')):,.0f}",
                      f"{median(column(rounds, 'user_us')):.2f}", f"{median(column(rounds, 'system_us')):.2f}",
                      f"{median(column(rounds, 'busy')):.0%}"])
    ours = taken[contenders.Agent.name]
    rate = median(column(ours, "rps"))
    got = f"{rate:,.0f}"
    if contenders.Nginx.name in taken:
        share = ratio(column(ours, "per_core"), column(taken[contenders.Nginx.name], "per_core"))
        got += f", {share:.2f} × nginx with a file"
    if median(column(ours, "busy")) < SATURATED:
        got += " (the load was the limit)"
    return [Row("tokens/s per core from the cache", f"at least {NEEDED:,}", got, rate >= NEEDED,
                f"wrk, {CONNECTIONS} connections, each asking again as soon as it has its answer. nginx serves a file "
                "with the same content, as a scale for the machine: it opens no cache, checks nobody and writes no log.",
                table)]


def measure(bench, contender, process):
    url = f"http://127.0.0.1:{contender.port}{PATHS[contender.name]}"
    return cost_of_load(process, lambda: tools.wrk(url, CONNECTIONS, int(bench.seconds)))
