"""Draws two bar charts: what a worker drains in a second, and how soon an idle one starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparison.results import Row
from peers.pins import OURS

__all__ = ["charts"]

#: The workload, the figure of its rows, how it is written, and the heading: one chart each.
_CHARTS = {
    "drain.svg": ("drain", "rate", "{:,.0f}", "jobs per second, one worker process that drains no-op jobs"),
    "latency.svg": ("latency", "p50_ms", "{:.2f}", "milliseconds from create to start, idle worker, p50"),
}


def charts(rows: Sequence[Row], directory: Path) -> None:
    """Write both into a directory; one whose workload was not measured is left as it is."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, (workload, figure, form, heading) in _CHARTS.items():
        found = {row["peer"]: float(row[figure]) for row in rows if row["workload"] == workload and figure in row}
        if found:
            best_first = sorted(found.items(), key=lambda bar: bar[1], reverse=figure == "rate")
            _draw(heading, form, best_first, directory / name)


def _draw(heading: str, form: str, bars: Sequence[tuple[str, float]], path: Path) -> None:
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - all but the charts goes without
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise SystemExit("charts need matplotlib: pip install -e '.[charts]'") from error
    # The same figures give the same file.
    with rc_context({"svg.hashsalt": "flows", "svg.fonttype": "none"}):
        chart = Figure(figsize=(8, 0.6 + 0.32 * len(bars)), layout="constrained")
        axes = chart.subplots()
        colours = ["#c2410c" if peer == OURS else "#64748b" for peer, _ in bars]
        drawn = axes.barh([peer for peer, _ in bars], [length for _, length in bars], color=colours)
        axes.bar_label(drawn, fmt=form, padding=4)
        axes.set_title(heading, loc="left")
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.spines[["top", "right"]].set_visible(False)
        chart.savefig(path, metadata={"Date": None})
