# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Charts, written by hand: bars and lines, readable on light and dark pages."""

import math
from xml.sax.saxutils import escape

from .paths import BUILT

# `report.write` takes those of a full run to the repository's files.
CHARTS = BUILT / "charts"
COLOURS = ["#2563eb", "#16a34a", "#d97706", "#9333ea", "#dc2626", "#0891b2"]
WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 48, 44


class Chart:
    """A drawing that is gathered piece by piece."""

    def __init__(self, title: str, unit: str, height: int = HEIGHT):
        self.height = height
        self.pieces = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            'font-family="system-ui, sans-serif" font-size="12">',
            '<style>text { fill: #1f2937 } .grid { stroke: #d1d5db } @media (prefers-color-scheme: dark) '
            '{ text { fill: #e5e7eb } .grid { stroke: #4b5563 } }</style>',
        ]
        self.text(LEFT, 20, title, size=15, weight="600")
        self.text(LEFT, 36, unit)

    def text(self, x, y, text, anchor="start", size=12, weight="400"):
        self.pieces.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">'
            f'{escape(str(text))}</text>')

    def line(self, x1, y1, x2, y2, kind="grid"):
        self.pieces.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def save(self, name: str) -> str:
        CHARTS.mkdir(parents=True, exist_ok=True)
        (CHARTS / name).write_text("\n".join([*self.pieces, "</svg>"]) + "\n")
        return name


def steps(highest: float) -> list[float]:
    """Round values from 0 to at least the highest, four to six of them."""
    if highest <= 0:
        return [0, 1]
    size = 10 ** math.floor(math.log10(highest))
    step = next(part * size / 10 for part in (1, 2, 2.5, 5, 10, 20, 25) if highest / (part * size / 10) <= 5)
    return [step * number for number in range(math.ceil(highest / step) + 1)]


def bars(name: str, title: str, unit: str, figures: dict[str, list[float]], parts: list[str]) -> str:
    """A horizontal bar for each of `figures`, in as many parts."""
    row = 26
    chart = Chart(title, unit, TOP + 24 + row * len(figures) + 12)
    begin = LEFT + 80
    highest = max(sum(values) for values in figures.values())
    scale = (WIDTH - RIGHT - 60 - begin) / highest
    for number, part in enumerate(parts if len(parts) > 1 else []):
        chart.pieces.append(
            f'<rect x="{begin + number * 90}" y="{TOP}" width="10" height="10" fill="{COLOURS[number]}"/>')
        chart.text(begin + number * 90 + 14, TOP + 9, part)
    y = TOP + 22
    for label, values in figures.items():
        chart.text(begin - 8, y + 14, label, anchor="end")
        x = begin
        for number, value in enumerate(values):
            chart.pieces.append(
                f'<rect x="{x:.1f}" y="{y}" width="{value * scale:.1f}" height="18" fill="{COLOURS[number]}"/>')
            x += value * scale
        chart.text(x + 6, y + 14, f"{sum(values):,.4g}" if sum(values) < 1000 else f"{sum(values):,.0f}")
        y += row
    return chart.save(name)


def lines(name: str, title: str, unit: str, below: str, series: dict[str, list[tuple[float, float]]]) -> str:
    """Lines over a logarithmic axis."""
    chart = Chart(title, unit)
    xs = sorted({x for points in series.values() for x, _ in points})
    marks = steps(max(y for points in series.values() for _, y in points))
    span = math.log10(xs[-1] / xs[0]) or 1

    def place(x, y):
        return (LEFT + math.log10(x / xs[0]) / span * (WIDTH - LEFT - RIGHT - 20),
                chart.height - BOTTOM - y / marks[-1] * (chart.height - TOP - BOTTOM))

    for mark in marks:
        _, y = place(xs[0], mark)
        chart.line(LEFT, y, WIDTH - RIGHT, y)
        chart.text(LEFT - 6, y + 4, f"{mark:,.4g}" if mark < 1000 else f"{mark:,.0f}", anchor="end")
    for x in xs:
        chart.text(place(x, 0)[0], chart.height - BOTTOM + 16, f"{x:,.0f}", anchor="middle")
    chart.text(WIDTH / 2, chart.height - 8, below, anchor="middle")
    for number, (label, points) in enumerate(series.items()):
        colour = COLOURS[number]
        places = [place(x, y) for x, y in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        chart.pieces.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        chart.pieces += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        chart.pieces.append(f'<rect x="{WIDTH - 170}" y="{14 + number * 16}" width="10" height="10" fill="{colour}"/>')
        chart.text(WIDTH - 154, 23 + number * 16, label)
    return chart.save(name)
