# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Small answers as fast as one core serves them: over TCP, over the Unix socket, and with a TLS upstream."""

from harness import contenders, svg, tools
from harness.report import Row
from harness.rounds import SATURATED, column, cost_of_load, direct_rate, in_turn, median, ratio, running

CONNECTIONS = 64
METHOD = (
    "{load}, {connections} connections, each asking again as soon as it has its answer (90 bytes); the upstream "
    "refuses a call in which the caller's credential is left or the injected one is missing. User and system time are "
    "those of the kernel for all threads. A comparison counts only if the proxy had at least {share:.0%} of its core, "
    "since otherwise the load or the upstream was the limit; those two by themselves manage {direct:,.0f} calls a second "
    "on their core. Peers write no access log, but for `nginx with log`; gateway-agent writes its own.")


def run(bench):
    rows = []
    for way, kinds, to_reach, needed in (
        ("TCP", bench.kinds, "1.1 × the better of nginx and HAProxy", 1.1),
        ("Unix socket", bench.kinds, "1.1 × the better of nginx and HAProxy", 1.1),
        ("TLS upstream", bench.kinds, "1.0 × the better of nginx and HAProxy", 1.0),
    ):
        rows += compare(bench, way, kinds, to_reach, needed)
    return rows


def measure(bench, way, contender, process):
    seconds = bench.seconds
    path = "/tls/small" if way == "TLS upstream" else "/plain/small"

    def call():
        if way == "TCP":
            return tools.wrk(f"http://127.0.0.1:{contender.port}{path}", CONNECTIONS, int(seconds))
        socket = contender.socket if way == "Unix socket" else None
        return tools.load(*tools.target(contender.port, socket), "--path", path, "--connections", CONNECTIONS,
                          "--seconds", seconds)

    return cost_of_load(process, call)


def compare(bench, way, kinds, to_reach, needed):
    bench.tell(f"requests a second, {way}")
    direct = direct_rate(bench, CONNECTIONS)
    with running(bench, kinds) as found:
        taken = in_turn(bench, found, lambda *which: measure(bench, way, *which))
    ours = taken[contenders.Agent.name]
    rivals = [name for name in (contenders.Nginx.name, contenders.HAProxy.name) if name in taken]
    limited = [name for name, rounds in taken.items() if median(column(rounds, "busy")) < SATURATED]
    table = [["proxy", "requests/s", "requests per CPU second", "user µs", "system µs", "of its core", "against it"]]
    for name, rounds in taken.items():
        against = ratio(column(ours, "rps"), column(rounds, "rps"))
        table.append([name, f"{median(column(rounds, 'rps')):,.0f}", f"{median(column(rounds, 'per_core')):,.0f}",
                      f"{median(column(rounds, 'user_us')):.2f}", f"{median(column(rounds, 'system_us')):.2f}",
                      f"{median(column(rounds, 'busy')):.0%}" + (" (not its limit)" if name in limited else ""),
                      f"{against:.2f} ×"])
    worst = min(ratio(column(ours, "rps"), column(taken[name], "rps")) for name in rivals)
    judged = not set(limited) & {contenders.Agent.name, *rivals}
    slug = way.lower().replace(" ", "-")
    charts = [svg.bars(f"requests-{slug}.svg", f"Requests a second on one core, {way}", "more is better",
                       {name: [median(column(rounds, "rps"))] for name, rounds in taken.items()}, ["requests/s"])]
    method = METHOD.format(load="wrk" if way == "TCP" else "tools/load.c", connections=CONNECTIONS, direct=direct,
                           share=SATURATED)
    got = f"{worst:.2f} ×" if judged else f"{worst:.2f} ×, but the load was the limit for {', '.join(limited)}"
    rows = [Row(f"requests/s per core, {way}", f"at least {to_reach}", got, worst >= needed if judged else None,
                method, table, charts)]
    if way == "TCP":
        rows.append(user_time(taken))
    return rows


def user_time(taken):
    nginx = taken[contenders.Nginx.name]
    share = ratio(column(taken[contenders.Agent.name], "user_us"), column(nginx, "user_us"))
    chart = svg.bars("cpu.svg", "CPU a request, TCP", "µs, less is better", {
        name: [median(column(rounds, "user_us")), median(column(rounds, "system_us"))]
        for name, rounds in taken.items()}, ["user", "system"])
    return Row("user CPU a request", "at most 0.7 × nginx's", f"{share:.2f} ×", share <= 0.7,
               "From the same rounds as the requests over TCP.", [], [chart])
