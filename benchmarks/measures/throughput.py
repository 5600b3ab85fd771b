# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Small answers as fast as one core serves them: over TCP, over the Unix socket, and with a TLS upstream."""

from harness import contenders, svg, tools
from harness.report import Row
from harness.rounds import SATURATED, column, cost_of_load, direct_rate, in_turn, median, ratio, running

CONNECTIONS = 64
# Of the best rate: what is so near may have had the same limit.
NEAR = 0.9
# With the first the proxies are the limit; the second is a program of others, and comes to its own with fast ones.
TCP, BY_WRK = "TCP", "TCP, called by wrk"
METHOD = (
    "{load}, {connections} connections, each asking again as soon as it has its answer (90 bytes); the upstream "
    "refuses a call in which the caller's credential is left or the injected one is missing. User and system time are "
    "those of the kernel for all threads. With less than {share:.0%} of its core a proxy was not the limit; the load or "
    "the upstream was, unless they carried another proxy further. A peer is not compared then; where it is "
    "gateway-agent, the ratio is the least that it can be. Those two by themselves manage {direct:,.0f} calls a second on "
    "their core. Peers write no access log, but for `nginx with log`; gateway-agent writes its own.")


def run(bench):
    rows, taken = [], {}
    for way, needed in ((TCP, 1.1), (BY_WRK, 1.1), ("Unix socket", 1.1), ("TLS upstream", 1.0)):
        row, taken[way] = compare(bench, way, needed)
        rows.append(row)
    return [*rows, user_time(taken)]


def measure(bench, way, contender, process):
    seconds = bench.seconds
    path = "/tls/small" if way == "TLS upstream" else "/plain/small"

    def call():
        if way == BY_WRK:
            return tools.wrk(f"http://127.0.0.1:{contender.port}{path}", CONNECTIONS, int(seconds))
        socket = contender.socket if way == "Unix socket" else None
        return tools.load(*tools.target(contender.port, socket), "--path", path, "--connections", CONNECTIONS,
                          "--seconds", seconds)

    return cost_of_load(process, call)


def compare(bench, way, needed):
    bench.tell(f"requests a second, {way}")
    direct = direct_rate(bench, CONNECTIONS)
    with running(bench, bench.kinds) as found:
        taken = in_turn(bench, found, lambda *which: measure(bench, way, *which))
    ours = taken[contenders.Agent.name]
    rivals = [name for name in (contenders.Nginx.name, contenders.HAProxy.name) if name in taken]
    rates = {name: median(column(rounds, "rps")) for name, rounds in taken.items()}
    limited = [name for name, rounds in taken.items()
               if median(column(rounds, "busy")) < SATURATED and rates[name] > NEAR * max(rates.values())]
    table = [["proxy", "requests/s", "requests per CPU second", "user µs", "system µs", "of its core", "against it"]]
    for name, rounds in taken.items():
        against = ratio(column(ours, "rps"), column(rounds, "rps"))
        table.append([name, f"{median(column(rounds, 'rps')):,.0f}", f"{median(column(rounds, 'per_core')):,.0f}",
                      f"{median(column(rounds, 'user_us')):.2f}", f"{median(column(rounds, 'system_us')):.2f}",
                      f"{median(column(rounds, 'busy')):.0%}" + (" (not its limit)" if name in limited else ""),
                      f"{against:.2f} ×"])
    worst = min(ratio(column(ours, "rps"), column(taken[name], "rps")) for name in rivals)
    is_least = contenders.Agent.name in limited
    judged = not set(limited) & set(rivals) and (worst >= needed or not is_least)
    slug = way.lower().replace(",", "").replace(" ", "-")
    charts = [svg.bars(f"requests-{slug}.svg", f"Requests a second on one core, {way}", "more is better",
                       {name: [median(column(rounds, "rps"))] for name, rounds in taken.items()}, ["requests/s"])]
    method = METHOD.format(load="wrk" if way == BY_WRK else "tools/load.c", connections=CONNECTIONS, direct=direct,
                           share=SATURATED)
    got = f"{'at least ' * is_least}{worst:.2f} ×"
    if not judged:
        got = f"{worst:.2f} ×, but the load was the limit for {', '.join(limited)}"
    to_reach = f"at least {needed} × the better of nginx and HAProxy"
    return Row(f"requests/s per core, {way}", to_reach, got, worst >= needed if judged else None, method, table,
               charts), taken


def user_time(taken):
    """The kernel finds by samples what is user time, so it is as of all rounds together."""
    def a_request(rounds):
        return sum(one["user_us"] * one["rps"] for one in rounds) / sum(column(rounds, "rps"))

    def share(way):
        return a_request(taken[way][contenders.Agent.name]) / a_request(taken[way][contenders.Nginx.name])

    chart = svg.bars("cpu.svg", "CPU a request, TCP", "µs, less is better", {
        name: [median(column(rounds, "user_us")), median(column(rounds, "system_us"))]
        for name, rounds in taken[TCP].items()}, ["user", "system"])
    return Row("user CPU a request", "at most 0.7 × nginx's", f"{share(TCP):.2f} ×", share(TCP) <= 0.7,
               "From the same rounds as the requests over TCP, all of a proxy's together, since the kernel tells user "
               f"time from system time by samples. Called by wrk, {share(BY_WRK):.2f} ×.", [], [chart])
