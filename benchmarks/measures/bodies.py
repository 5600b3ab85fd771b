# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""A large body each way, plain and under TLS; and one towards a reader that stops."""

import time

from harness import contenders, tools
from harness.report import Row
from harness.rounds import column, in_turn, median, ratio, running

KINDS = [contenders.Agent, contenders.Nginx, contenders.HAProxy]

# Unbuffered, nginx reads 8 kB at a time, which nobody would choose for large bodies: it gets blocks like the agent's.
LARGE_BLOCKS = ("proxy_buffering on; proxy_buffer_size 32k; proxy_buffers 8 32k; proxy_busy_buffers_size 64k; "
                "proxy_max_temp_file_size 0; client_body_buffer_size 64k;")


def run(bench):
    size = bench.body_bytes
    label = f"{size / 2**30:.3g} GiB"
    rows = []
    for path, tls in (("plain", "plain"), ("tls", "TLS")):
        for way, call in (("down", ["--path", f"/{path}/bytes/{size}"]),
                          ("up", ["--path", f"/{path}/swallow", "--upload", size])):
            rows.append(compare(bench, f"{label} {way}, {tls}", size, call))
    rows.append(stopping_reader(bench, label, size))
    return rows


def compare(bench, title, size, call):
    bench.tell(title)
    kinds = [kind for kind in KINDS if kind in bench.kinds]
    with running(bench, kinds, buffering=LARGE_BLOCKS) as found:

        def measure(contender, process):
            before = process.cpu()
            result = tools.load("--port", contender.port, *call, "--requests", 1)
            spent = process.cpu() - before
            return {"per_core": size / max(spent.total, 0.01), "wall": size / result["seconds"]}

        taken = in_turn(bench, found, measure)
    ours = taken[contenders.Agent.name]
    table = [["proxy", "per CPU second", "on the clock", "against it"]] + [
        [name, f"{median(column(rounds, 'per_core')) / 2**30:.2f} GiB",
         f"{median(column(rounds, 'wall')) / 2**30:.2f} GiB/s",
         f"{ratio(column(ours, 'per_core'), column(rounds, 'per_core')):.2f} ×"] for name, rounds in taken.items()]
    against = ratio(column(ours, "per_core"), column(taken[contenders.Nginx.name], "per_core"))
    return Row(title, "bytes a second per core at least nginx's", f"{against:.2f} ×", against >= 1,
               "One connection, one body with Content-Length; bytes by the CPU time that the proxy spent on them, "
               "which is the rate of a core whatever limits the clock. TLS is between proxy and upstream. nginx has "
               "buffers of 32 kB in memory and spools nothing.", table)


def stopping_reader(bench, label, size):
    bench.tell("a reader that stops")
    with running(bench, [contenders.Agent]) as found:
        contender, process = found[contenders.Agent.name]
        tools.load("--port", contender.port, "--path", "/plain/small", "--connections", 32, "--requests", 2000)
        before = process.resident()
        load = tools.Load("--port", contender.port, "--path", f"/plain/bytes/{size}", "--stop-reading", commanded=True)
        load.wait_for("stopped")
        time.sleep(min(5, bench.seconds))
        grown = process.resident() - before
        load.tell("e")
        load.result()
    return Row(f"{label} towards a reader that stops", "growth under 4 MB", f"{grown / 1e6:.2f} MB", grown < 4e6,
               "Resident memory before the call and some seconds after the caller has read the head and no more.")
