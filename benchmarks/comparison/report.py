"""Shows results: a table for the terminal, and Markdown for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from comparison.results import Row, newest
from comparison.workloads import WORKLOADS
from peers.pins import OURS
from rich.table import Table

__all__ = ["markdown", "tables"]

_HEADS = ("peer", "setting", "jobs/s", "p50 ms", "p95 ms", "p99 ms", "lowest to highest", "ratio", "flows is")


def tables(rows: Sequence[Row]) -> Generator[Table]:
    """Lay out a table per workload."""
    for workload, heads, lines in _parts(rows):
        table = Table(title=workload, title_justify="left")
        for head in heads:
            table.add_column(head, justify="left" if head in {"peer", "setting"} else "right")
        for line in lines:
            table.add_row(*line)
        yield table


def markdown(content: dict[str, Any]) -> str:
    """Return what a results file says, as Markdown."""
    rows = newest(content)
    machine = content["machine"]
    lines = [
        f"{machine['cores']} cores ({machine['cpu']}), {machine['system']}, Python {machine['python']}.",
        "",
        *[f"- {run['run']}, {run['server']}: `{run['command']}`" for run in content["runs"]],
        "",
        "Medians of all rounds. Ratio: to a raw awaited `LMOVE`, measured before and after each round; latencies are",
        "told in such round trips. “flows is”: how many times as fast as this row, or as quick to start.",
    ]
    for workload, heads, body in _parts(rows):
        lines += ["", f"### {workload}", ""]
        lines.append(f"| {' | '.join(heads)} |")
        lines.append(f"|{'|'.join('---' if head in {'peer', 'setting'} else '--:' for head in heads)}|")
        lines += [f"| {' | '.join(line)} |" for line in body]
    versions = {row["peer"]: row["versions"] for row in rows}
    lines += ["", "### Versions", ""]
    for peer, found in versions.items():
        lines.append(f"- {peer}: {', '.join(f'{name} {version}' for name, version in found.items())}")
    return "\n".join([*lines, ""])


def _parts(rows: Sequence[Row]) -> Generator[tuple[str, Sequence[str], list[list[str]]]]:
    """Cut rows into workloads, each with its heads, without those that are empty, and the best peer first."""
    for workload in WORKLOADS:
        here = [row for row in rows if row["workload"] == workload]
        if not here:
            continue
        ours = [row for row in here if row["peer"] == OURS]
        # Several variants of our own have no one figure to hold a peer's against, but for the one of the same name.
        lines = [_line(row, _counterpart(row, ours)) for row in sorted(here, key=_rank)]
        kept = [number for number in range(len(_HEADS)) if any(line[number] for line in lines)]
        yield workload, [_HEADS[number] for number in kept], [[line[number] for number in kept] for line in lines]


def _rank(row: Row) -> float:
    return float(row["p50_ms"] if "p50_ms" in row else -row.get("rate", 0.0))


def _counterpart(row: Row, ours: Sequence[Row]) -> Row | None:
    if row["peer"] == OURS:
        return None
    if len(ours) == 1:
        return ours[0]
    # `setting` ends with the variant's name.
    ending = row["setting"].rpartition("; ")[2]
    return next((each for each in ours if each["setting"].endswith(ending)), None)


def _line(row: Row, ours: Row | None) -> list[str]:
    spans = [f"{row[name]:.2f}" if name in row else "" for name in ("p50_ms", "p95_ms", "p99_ms")]
    rate = f"{row['rate']:,.0f}" if "rate" in row else ""
    if not row["rounds"]:
        rate = "failed"
    ratio = f"{row['ratio']:.3f}" if "ratio" in row else ""
    return [row["peer"], row["setting"], rate, *spans, _spread(row), ratio, _times(row, ours)]


def _spread(row: Row) -> str:
    name = "p50_ms" if "p50_ms" in row else "rate"
    found = [each[name] for each in row["rounds"]]
    if not found:
        return ""
    form = ".2f" if name == "p50_ms" else ",.0f"
    return f"{min(found):{form}} to {max(found):{form}}"


def _times(row: Row, ours: Row | None) -> str:
    if ours is None:
        return ""
    if "rate" in row and "rate" in ours:
        return f"{ours['rate'] / row['rate']:.2f} ×"  # noqa: RUF001 - a times sign
    if "p50_ms" in row and "p50_ms" in ours:
        return f"{row['p50_ms'] / ours['p50_ms']:.2f} ×"  # noqa: RUF001 - a times sign
    return ""
