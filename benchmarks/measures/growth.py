# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""What a request costs as there is more of everything: routes, credentials, connections."""

from harness import contenders, instructions, svg, tools
from harness.process import descriptor_limit
from harness.report import Row
from harness.rounds import median

COUNTS = [1, 10, 100, 1000]
CONNECTIONS = [1, 10, 100, 1000, 10_000]
# So many that what it costs to open 10,000 connections, give or take, does not show.
MORE = 200_000


def run(bench):
    bench.tell("cost as work grows")
    counts = COUNTS[::3] if bench.quick else COUNTS
    series = {
        "routes": [(count, counted(bench, "routes", count)) for count in counts],
        "credentials": [(count, counted(bench, "credentials", count)) for count in counts],
    }
    chart = svg.lines("growth.svg", "Instructions a request", "counted in user space, less is better",
                      "routes, credentials", series)
    table = [["of them", *(f"{count:,}" for count in counts)]] + [
        [name, *(f"{figure:,.0f}" for _, figure in points)] for name, points in series.items()]
    growth = max(points[-1][1] / points[0][1] for points in series.values())
    return [
        Row("cost with 1 to 1,000 routes and credentials", "flat a request", f"at most {growth:.2f} ×", growth <= 1.1,
            "Instructions in user space by callgrind, as in `instructions`: the request is for a route in the middle "
            "of all, whose credential is one of so many. Up to 1.1 × is called flat.", table, [chart]),
        by_connections(bench),
    ]


def counted(bench, what, count) -> float:
    """Of many routes the one in the middle is called: with prefixes of one length, the order says nothing."""
    bench.tell(f"  {count} {what}")
    middle = f"{count // 2:04}"
    credentials = routes = ""
    for number in range(count):
        name = f"{number:04}"
        credential = f"many-{name}" if what == "credentials" else "token"
        if what == "credentials":
            credentials += f'    "many-{name}": {{ source: "file", path: "$folder/token", maxAge: "1d" }},\n'
        if what == "routes" or name == middle:
            routes += (f'    "/many-{name}/": {{ upstream: "http://127.0.0.1:{bench.upstream.port}/", '
                       f'chain: ["{credential}"] }},\n')

    def agent():
        made = contenders.Agent(bench.folder, bench.upstream)
        made.values |= {"more_routes": routes, "more_credentials": credentials.replace("$folder", str(made.folder))}
        return made

    return instructions.a_request(agent, ["--path", f"/many-{middle}/small"])


def a_request(contender, process, connections) -> tuple[float, float]:
    """Microseconds of CPU, user and all, without those of opening the connections: a longer run less a shorter one."""
    spent = []
    for requests in (connections * 5, connections * 5 + MORE):
        before = process.cpu()
        tools.load("--port", contender.port, "--path", "/plain/small", "--connections", connections, "--requests",
                   requests)
        spent.append(process.cpu() - before)
    more = spent[1] - spent[0]
    return more.user / MORE * 1e6, more.total / MORE * 1e6


def by_connections(bench):
    most = (descriptor_limit() - 400) // 2
    counts = [min(count, most) for count in (CONNECTIONS[::2] if bench.quick else CONNECTIONS)]
    points = {}
    for contender in (contenders.Agent(bench.folder, bench.upstream), contenders.Nginx(bench.folder, bench.upstream)):
        with contender.start() as process:
            for count in counts:
                bench.tell(f"  {contender.name}: {count} connections")
                costs = [a_request(contender, process, count) for _ in range(max(1, bench.rounds // 2))]
                points[contender.name, count] = [median(column) for column in zip(*costs)]

    def series(name):
        return [(count, points[name, count][1]) for count in counts]

    def growth(name):
        return points[name, counts[-1]][1] / points[name, counts[1]][1]

    names = list(dict.fromkeys(name for name, _ in points))
    chart = svg.lines("connections.svg", "CPU a request", "µs, user and system, less is better",
                      "connections, each with a call under way", {name: series(name) for name in names})
    table = [["connections", *(f"{count:,}" for count in counts)]]
    for name in names:
        for what, column in (("µs a request", 1), ("of it user", 0)):
            table.append([f"{name}: {what}", *(f"{points[name, count][column]:.1f}" for count in counts)])
    return Row(f"cost with 1 to {counts[-1]:,} connections", "flat a request",
               f"{growth(names[0]):.2f} × from {counts[1]:,} to {counts[-1]:,}, {names[1]} {growth(names[1]):.2f} ×",
               growth(names[0]) <= 1.25,
               f"CPU time a request, user and system, each connection asking again as soon as it has its answer; "
               f"{MORE:,} requests, as a longer run less a shorter one, so without the opening of connections. With one "
               "connection each call is a turn of the loop and two wake-ups of its own, so growth is counted from the "
               "second point; caches and the kernel have their part in it, so up to 1.25 × is called flat.",
               table, [chart])
