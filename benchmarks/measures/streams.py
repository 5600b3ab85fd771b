# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Many open streams with an event a second each: memory a stream, delay of an event, CPU an event."""

import time

from harness import contenders, svg, tools
from harness.process import descriptor_limit
from harness.report import Row
from harness.rounds import column, in_turn, median, running

WANTED = 10_000
KINDS = [contenders.Agent, contenders.Nginx, contenders.HAProxy, contenders.Envoy]


def run(bench):
    # Each stream takes two descriptors of the proxy.
    streams = min(bench.streams or WANTED, (descriptor_limit() - 400) // 2)
    bench.tell(f"{streams} event streams")
    kinds = [kind for kind in KINDS if kind in bench.kinds]

    def measure(contender, _):
        # A process of its own for each round: memory that an earlier one left behind would hide the growth.
        process = contender.start()
        with process:
            tools.load("--port", contender.port, "--path", "/plain/small", "--connections", 32, "--requests", 2000)
            time.sleep(0.5)
            before = process.private()
            load = tools.Load("--port", contender.port, "--path", "/plain/events", "--streams", "--connections",
                              streams, "--limit", 60 + int(bench.seconds) * 2, commanded=True)
            load.wait_for("open")
            time.sleep(2)
            load.tell("b")
            cpu, begin = process.cpu(), time.monotonic()
            time.sleep(max(3, bench.seconds))
            spent, seconds = process.cpu() - cpu, time.monotonic() - begin
            grown = process.private() - before
            load.tell("e")
            result = load.result()
        events = max(1, result["answers"])
        return {"bytes": grown / streams, "p50": result["p50"], "p99": result["p99"],
                "cpu_us": spent.total / events * 1e6, "user_us": spent.user / events * 1e6,
                "events": events / seconds, "busy": spent.total / seconds}

    found = {kind.name: (kind(bench.folder, bench.upstream), None) for kind in kinds}
    taken = in_turn(bench, found, measure)
    table = [["proxy", "memory a stream", "event p50", "event p99", "CPU an event", "of it user", "events/s"]] + [
        [name, f"{median(column(rounds, 'bytes')):,.0f} B", f"{median(column(rounds, 'p50')):,.0f} µs",
         f"{median(column(rounds, 'p99')):,.0f} µs", f"{median(column(rounds, 'cpu_us')):.1f} µs",
         f"{median(column(rounds, 'user_us')):.1f} µs", f"{median(column(rounds, 'events')):,.0f}"]
        for name, rounds in taken.items()]
    chart = svg.bars("streams.svg", f"Memory a stream, {streams:,} streams", "bytes of the proxy's own, less is better",
                     {name: [median(column(rounds, "bytes"))] for name, rounds in taken.items()}, ["bytes"])
    method = (f"{streams:,} streams opened within two seconds, an event of 100 bytes a second on each"
              + ("" if streams == WANTED else f" (not {WANTED:,}: two descriptors each, and the limit here is "
                 f"{descriptor_limit():,})") +
              ". The upstream writes the time into each event, and the caller reads the clock when it arrives. Memory "
              "is the growth of the private pages of all its processes, so without the kernel's socket buffers.")
    ours, nginx = (taken[kind.name] for kind in KINDS[:2])
    memory, delay, cpu = ((median(column(ours, key)), median(column(nginx, key))) for key in ("bytes", "p99", "cpu_us"))
    return [
        Row("SSE: memory a stream", "at most 8 KB and at most nginx's", f"{memory[0]:,.0f} B, nginx {memory[1]:,.0f} B",
            memory[0] <= min(8192, memory[1]), method, table, [chart]),
        Row("SSE: p99 delay of an event", "at most nginx's", f"{delay[0]:,.0f} µs, nginx {delay[1]:,.0f} µs",
            delay[0] <= delay[1], "As above."),
        Row("SSE: CPU an event", "at most nginx's", f"{cpu[0]:.1f} µs, nginx {cpu[1]:.1f} µs", cpu[0] <= cpu[1],
            "As above."),
    ]
