"""Where reading a query's sources goes on, as a text that a caller keeps: it is checked when it comes back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flows.errors import ValidationError
from flows.model.find.conjunction import is_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.find.query import JobQuery
    from flows.store.views.source import Source

#: Kind, state and name of a source.
_Named = tuple[str, str, str]
#: The number of an alternative, one of its sources, and the position in that.
_Read = tuple[int, "Source", "Position"]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a job stands in a source."""

    job_id: str
    index: int
    """A hint: lists lose their heads."""
    time: str
    """By what the source is sorted, mostly milliseconds."""
    before: str = ""
    """The id that was looked at before."""

    @classmethod
    def of(cls, answer: Sequence[Any]) -> Position:
        """Return the position that the script names."""
        job_id, index, time, before = answer
        return cls(job_id.decode("utf-8", "replace"), index, time.decode(), before.decode("utf-8", "replace"))

    @property
    def order(self) -> tuple[float, str]:
        """By what jobs of several sources are merged."""
        return float(self.time), self.job_id


#: Before the first job of a source.
BEGIN: Final = Position("", 0, "0")


def write_cursor(query: JobQuery, left: Sequence[_Read], *, newest_first: bool) -> str:
    """Return the cursor of the sources that are not read to their ends; empty where there are none."""
    if not left:
        return ""
    read = [
        [number, source.kind, source.state, source.name, at.job_id, at.index, at.time, at.before]
        for number, source, at in left
    ]
    text = json.dumps([_digest(query, newest_first=newest_first), read], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(
    query: JobQuery, cursor: str, known: Sequence[Mapping[_Named, Source]], *, newest_first: bool
) -> list[_Read]:
    """Return what `write_cursor` has written; `known` has the sources of each alternative.

    Raises:
        ValidationError: it is no cursor of this query in this order.
    """
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        found: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if not is_list(found) or len(found) != 2 or not is_list(found[1]):  # noqa: PLR2004 - digest and sources
        raise _no_cursor()
    if found[0] != _digest(query, newest_first=newest_first):
        raise ValidationError("this cursor is of another query, or of another order: begin with cursor=''")
    return [_source_read(part, known) for part in found[1]]


def _source_read(part: Any, known: Sequence[Mapping[_Named, Source]]) -> _Read:
    match part:
        case [int(number), str(kind), str(state), str(name), str(job_id), int(index), str(time), str(before)]:
            source = known[number].get((kind, state, name)) if 0 <= number < len(known) else None
            if source is not None and 0 <= index < 1 << 50 and _is_number(time):
                return number, source, Position(job_id, index, time, before)
        case _:
            pass
    raise _no_cursor()


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text)) and len(text) <= 30  # noqa: PLR2004 - no number here is longer
    except ValueError:
        return False


def _digest(query: JobQuery, *, newest_first: bool) -> str:
    text = json.dumps([query.to_dict(), newest_first], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _no_cursor() -> ValidationError:
    return ValidationError("this is no cursor of a query: give what the page before had as its `cursor`, or ''")
