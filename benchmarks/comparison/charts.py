"""Draws two bar charts as SVG, by hand: what a worker drains in a second, and how soon an idle one starts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from comparison.results import Row
from peers.pins import OURS

__all__ = ["charts"]

_WIDTH, _LABEL, _BAR, _GAP = 760, 130, 22, 8
#: The figure of a row, its heading and the workload: one chart each.
_CHARTS = {
    "drain.svg": ("drain", "rate", "jobs per second, one worker process that drains no-op jobs (more is better)"),
    "latency.svg": ("latency", "p50_ms", "milliseconds from create to start, idle worker, p50 (less is better)"),
}


def charts(rows: Sequence[Row], directory: Path) -> None:
    """Write both into a directory; one whose workload was not measured is left as it is."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, (workload, figure, heading) in _CHARTS.items():
        found = {row["peer"]: float(row[figure]) for row in rows if row["workload"] == workload and figure in row}
        if found:
            best_first = sorted(found.items(), key=lambda bar: bar[1], reverse=figure == "rate")
            (directory / name).write_text(_svg(heading, best_first), encoding="utf-8")


def _svg(heading: str, bars: Sequence[tuple[str, float]]) -> str:
    height = 40 + len(bars) * (_BAR + _GAP)
    most = max(length for _, length in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
        ' font-family="sans-serif" font-size="13">',
        # A ground of its own: pages are light or dark.
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="20" font-weight="bold">{escape(heading)}</text>',
    ]
    for number, (peer, length) in enumerate(bars):
        top = 34 + number * (_BAR + _GAP)
        width = max(1.0, length / most * (_WIDTH - _LABEL - 80))
        colour = "#c2410c" if peer == OURS else "#64748b"
        written = f"{length:,.0f}" if most >= 1000 else f"{length:.2f}"  # noqa: PLR2004 - rates, not milliseconds
        lines += [
            f'<text x="{_LABEL - 8}" y="{top + 16}" text-anchor="end">{escape(peer)}</text>',
            f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>',
            f'<text x="{_LABEL + width + 6:.1f}" y="{top + 16}">{written}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
