"""What a run shows in a terminal: a bar while it goes on, and a table in the end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from access_report import Report


@contextmanager
def bar(total: int) -> Generator[Callable[[int], None]]:
    """Show a bar on stderr; what is yielded moves it to how many wallets are through."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("wallets", total=total)
        yield lambda through: progress.update(task, completed=through)


def show(report: Report) -> None:
    """Print the table of roles, and how fast it went."""
    table = Table("role", "wallets with access", "share")
    for column in table.columns[1:]:
        column.justify = "right"
    for role, members in report.roles.items():
        table.add_row(role, f"{members:,}", f"{members / max(report.wallets, 1):.1%}")
    console = Console(highlight=False)
    console.print(table)
    rates = "{:,.0f} wallets and {:,.0f} child jobs a second".format(*report.rates)
    failed = f"; {report.failed:,} have failed" if report.failed else ""
    console.print(f"{report.wallets:,} wallets in {report.seconds:.1f} s: {rates}{failed}", soft_wrap=True)
