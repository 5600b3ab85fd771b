# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""One row a figure of the table, and the page that shows them."""

import dataclasses
import datetime
import json
import shutil

from . import machine, svg
from .paths import BENCHMARKS, BUILT


@dataclasses.dataclass
class Row:
    """What was to be reached, and what was."""

    measure: str
    to_reach: str
    got: str
    # None: not measured or not comparable; then `got` says why.
    reached: bool | None
    method: str
    # Column names, then a line each.
    table: list[list[str]] = dataclasses.field(default_factory=list)
    charts: list[str] = dataclasses.field(default_factory=list)

    @property
    def verdict(self) -> str:
        return {True: "reached", False: "**not reached**", None: "not judged"}[self.reached]


def markdown_table(lines: list[list[str]]) -> str:
    head, *rest = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    ruler = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ruler, *rest])


def write(rows: list[Row], rounds: int, seconds: float, path=BENCHMARKS / "RESULTS.md"):
    """The page with its charts, and the same as JSON in the build's folder."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    lines = [
        "# Results", "",
        f"{today}: {machine.description()}. Each figure is the median of {rounds} rounds in turn, "
        f"{seconds:g} s each where a load runs; ratios are medians of the ratios within a round. What is measured has "
        "core {} for itself; load and upstream share core {}. [How to run it](README.md)".format(
            machine.MEASURED_CORE, machine.LOAD_CORE), "",
        markdown_table([["what", "version"], *([name, text] for name, text in machine.versions().items())]), "",
        "## All figures", "",
        markdown_table([["measure", "to reach", "got", ""], *(
            [row.measure, row.to_reach, row.got, row.verdict] for row in rows)]), "",
        "## How each was made", "",
    ]
    charts = path.parent / "charts"
    shutil.rmtree(charts, ignore_errors=True)
    charts.mkdir()
    for row in rows:
        lines += [f"### {row.measure}", "", row.method, ""]
        if row.table:
            lines += [markdown_table(row.table), ""]
        for chart in row.charts:
            shutil.copy(svg.CHARTS / chart, charts)
            lines += [f"![{row.measure}](charts/{chart})", ""]
    path.write_text("\n".join(lines).rstrip() + "\n")
    (BUILT / "results.json").write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=2) + "\n")
