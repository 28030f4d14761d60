"""Words that messages for people are made of, whichever way they go."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flows.service.transports.ending import Ending
    from flows.service.transports.transport import Included

#: So much of an error's message is told, and so much of a payload or result, in characters.
_MESSAGE, _VALUE = 300, 1_000


def job_page(ending: Ending) -> str | None:
    """Return the address of the job's page, where FLOWS_PUBLIC_URL says where the dashboard is."""
    public = os.environ.get("FLOWS_PUBLIC_URL", "").rstrip("/")
    return f"{public}/flows/{quote(ending.service)}/jobs/{quote(ending.job_id)}" if public else None


def counted(endings: Sequence[Ending]) -> str:
    """Return how many ended how: "3 failed, 1 cancelled"."""
    counts = Counter(ending.outcome for ending in endings)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def details(ending: Ending, include: frozenset[Included]) -> Iterator[str]:
    """Yield lines: why it ended so, and of payload and result what is asked for."""
    if ending.error_type or ending.message:
        why = f"{ending.error_type}: {ending.message}" if ending.error_type else ending.message
        yield _cut(why, _MESSAGE)
    for name, value in (("payload", ending.payload), ("result", ending.result)):
        if name in include and value is not None:
            yield f"{name} {_cut(to_json(value).decode(), _VALUE)}"


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "…"
