"""What the end of a job leaves behind, and the lines by which scripts know it: a log, and reports, which are jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from flows.model.endings.options import Endings

#: How a job ends.
Ended: TypeAlias = Literal["done", "failed", "cancelled"]
#: Stands in a line for what is not there.
_NONE: Final = "-"


@dataclass(frozen=True, slots=True)
class ReportsTo:
    """A queue whose jobs tell of endings: a child queue, which has no parents."""

    queue: str
    """Its full name."""
    on: Collection[Ended] = get_args(Ended)
    types: Collection[str] | None = None
    """Only of jobs whose first copied field is one of these; None: of all."""

    @property
    def line(self) -> str:
        """The reporter as a line of the flow's settings."""
        types = "*" if self.types is None else ",".join(sorted(self.types)) or _NONE
        return f"> {self.queue} {','.join(sorted(self.on))} {types}"


@dataclass(frozen=True, slots=True)
class Outbox:
    """All that the ending of a job leaves behind."""

    endings: Endings | None = None
    reports: Sequence[ReportsTo] = ()
    fields: Sequence[str] = field(default_factory=tuple)
    """What is copied, where the log says nothing of that."""

    @property
    def copied(self) -> Sequence[str]:
        """The fields that are copied: those of the log, or where it names none, those of the reports."""
        return self.fields if self.endings is None or not self.endings.fields else self.endings.fields

    @property
    def lines(self) -> str:
        """The lines of the flow's settings, by which scripts know it; empty where nothing is left behind."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.endings is None and not self.reports:
            return
        log = self.endings
        most, kept = (0, 0) if log is None else (log.most, timedelta(days=log.days) // timedelta(milliseconds=1))
        yield f"@ {most} {kept} {','.join(self.copied) or _NONE}"
        for reporter in self.reports:
            yield reporter.line
