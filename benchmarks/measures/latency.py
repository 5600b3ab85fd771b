# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""What the hop adds to the time of a call, at half of what the slower of gateway-agent and nginx can do."""

from harness import contenders, tools
from harness.report import Row
from harness.rounds import column, in_turn, median, running

CONNECTIONS = 64
KINDS = [contenders.Agent, contenders.Nginx, contenders.HAProxy]


def run(bench):
    bench.tell("added latency at half load")
    kinds = [kind for kind in KINDS if kind in bench.kinds]
    with running(bench, kinds) as found:
        most = [tools.load("--port", contender.port, "--path", "/plain/small", "--connections", CONNECTIONS,
                           "--seconds", max(1, bench.seconds / 2)) for contender, _ in found.values()]
        rate = min(result["answers"] / result["seconds"] for result in most) / 2

        def measure(contender, _):
            call = ["--connections", CONNECTIONS, "--seconds", bench.seconds, "--rate", rate]
            direct = tools.load("--port", bench.upstream.port, "--direct", *call)
            through = tools.load("--port", contender.port, "--path", "/plain/small", *call)
            return {"p50": through["p50"] - direct["p50"], "p99": through["p99"] - direct["p99"],
                    "direct p50": direct["p50"], "direct p99": direct["p99"]}

        taken = in_turn(bench, found, measure)
    table = [["proxy", "added p50", "added p99", "direct p50", "direct p99"]] + [
        [name, *(f"{median(column(rounds, key)):.0f} µs" for key in ("p50", "p99", "direct p50", "direct p99"))]
        for name, rounds in taken.items()]
    method = (f"{rate:,.0f} calls a second on {CONNECTIONS} connections, begun on time whether or not earlier ones are "
              "done and timed from when they were due; the same rate straight to the upstream just before, and what "
              "was there is taken off.")
    rows = []
    for key in ("p50", "p99"):
        ours, nginx = (median(column(taken[kind.name], key)) for kind in KINDS[:2])
        rows.append(Row(f"added {key} at half load", "at most nginx's", f"{ours:.0f} µs, nginx {nginx:.0f} µs",
                        ours <= nginx, method if key == "p50" else "As above.", table if key == "p50" else []))
    return rows
