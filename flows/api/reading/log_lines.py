"""Makes what is answered of a log's lines, without what is hidden from the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.api.reading.shortening import shortened
from flows.api.views.jobs import LogLineView, LogView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.api.reading.hiding import Secrets
    from flows.store.jobs.log_line import LogLine


def log_view(secrets: Secrets, lines: Sequence[LogLine], after: int, limit: int, *, whole: bool) -> LogView:
    """Return the last lines of a log, up to the limit, of those after a number."""
    views = [
        LogLineView(
            n=line.n,
            at=line.at,
            level=line.level,
            text=secrets.out_of(line.text),
            meta=secrets.out_of(line.meta),
            attempt=line.attempt,
            late=line.late,
            status=secrets.out_of(line.status),
        )
        for line in lines[-limit:]
    ]
    view = LogView(lines=views, last=max([after, *(line.n for line in lines)]), hidden=False)
    return shortened(view, whole=whole)
