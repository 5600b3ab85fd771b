# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Rounds in turn: A B C A B C …, so that whatever else the machine does falls on all alike."""

import contextlib
import statistics

from . import tools
from .machine import LOAD_CORE

# Of a core: below it, what is measured was not the limit, the load or the upstream was.
SATURATED = 0.95


def median(figures) -> float:
    return statistics.median(figures)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Pair by pair: each round's two figures were taken one after the other."""
    return median(a / b for a, b in zip(ours, theirs))


@contextlib.contextmanager
def running(bench, kinds, **values):
    """All of them at once; those that are not asked are asleep. By name: how to reach it, and its process."""
    with contextlib.ExitStack() as stack:
        found = {}
        for kind in kinds:
            contender = kind(bench.folder, bench.upstream, **values)
            found[kind.name] = contender, stack.enter_context(contender.start())
        yield found


def in_turn(bench, found, measure) -> dict[str, list[dict]]:
    """What `measure(contender, process)` gave, a list a contender, one element a round. The first round warms up."""
    taken = {name: [] for name in found}
    for number in range(bench.rounds + 1):
        for name, (contender, process) in found.items():
            figures = measure(contender, process)
            bench.tell(f"  {'warm-up' if number == 0 else f'round {number}'} {name}: " + ", ".join(
                f"{key} {value:.4g}" for key, value in figures.items()))
            if number > 0:
                taken[name].append(figures)
    return taken


def column(rounds: list[dict], key: str) -> list[float]:
    return [figures[key] for figures in rounds]


def cost_of_load(process, call) -> dict:
    """Runs `call`, which returns answers and seconds, and tells what it cost the process."""
    before = process.cpu()
    result = call()
    spent = process.cpu() - before
    answers = max(1, result["answers"])
    return {
        "rps": answers / result["seconds"],
        "per_core": answers / max(spent.total, 0.01),
        "user_us": spent.user / answers * 1e6,
        "system_us": spent.system / answers * 1e6,
        "busy": spent.total / result["seconds"],
    }


def direct_rate(bench, connections: int, tls: bool = False) -> float:
    """What load and upstream manage by themselves on their core, without anything between them (plain text)."""
    return max(
        tools.load("--port", bench.upstream.port, "--direct", "--connections", connections, "--seconds",
                   bench.seconds / 2, core=LOAD_CORE)["answers"] / (bench.seconds / 2) for _ in range(2))
