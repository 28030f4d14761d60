"""Reads the log of a flow's endings: pages of it, in either direction, and counts by day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from flows.model.endings.outbox import Ended
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument, Command
    from flows.store.jobs.flow_settings import FlowSettings

#: One call looks at so many entries at most, where conditions leave some of them out.
MOST_LOOKED: Final = 10_000
#: So many are read at once then.
_PAGE: Final = 500
#: One script counts so many.
_COUNTED: Final = 5_000


@dataclass(frozen=True, slots=True)
class LoggedEnding:
    """A job that has ended, as its flow's log tells it, longer than its hash stays.

    Attributes:
        job_id: The job; where it has ended several times, it has an entry for each.
        outcome: "done", "failed" or "cancelled".
        ended: When, by the server's clock.
        fields: The copied fields; None where the job had none of that name, or one that was too long.
        error: Of a failure, the type of its error.
        entry: The entry's id, by which pages go on.
    """

    job_id: str
    outcome: Ended
    ended: datetime
    fields: Mapping[str, JsonValue]
    error: str | None
    entry: str


@dataclass(frozen=True, slots=True)
class EndingPage:
    """Some endings, and where the next page begins.

    Attributes:
        endings: In order.
        next: Give it as `after` to read on; empty at the end. A page may have fewer than were asked for.
    """

    endings: Sequence[LoggedEnding]
    next: str


@dataclass(frozen=True, slots=True)
class AskedEndings:
    """Which endings are asked for, in which order."""

    outcome: Ended
    error: str | None = None
    """Only failures by this type of error."""
    between_ms: tuple[int, int] | None = None
    """Only those that ended from the first time on and before the second, in server milliseconds."""
    fields: Mapping[str, JsonValue] = field(default_factory=dict[str, "JsonValue"])
    """Only those whose copied fields have these values."""
    newest_first: bool = True

    def command(self, settings: FlowSettings, after: str) -> Command:
        """Return the command that reads the log from its begin on, or behind an entry."""
        keys, flow = settings.keys, settings.flow
        key = keys.endings(flow, self.outcome) if self.error is None else keys.errors(flow, self.error)
        first, last = ("-", "+") if self.between_ms is None else (str(self.between_ms[0]), str(self.between_ms[1] - 1))
        behind = f"({after}"
        if self.newest_first:
            return ("XREVRANGE", key, behind if after else last, first)
        return ("XRANGE", key, behind if after else first, last)


async def read_endings(
    connection: Connection,
    settings: FlowSettings,
    asked: AskedEndings,
    *,
    limit: int = 100,
    after: str = "",
) -> EndingPage:
    """Return a page of the jobs of a flow that have ended.

    Args:
        connection: To the server.
        settings: Those of the flow.
        asked: Which.
        limit: How many at most.
        after: The `next` of the page before.

    Raises:
        KeyConflict: the log's key holds something else.
        StoreError: the server cannot be used.
    """
    wanted = {name.encode(): to_json(value) for name, value in asked.fields.items()}
    found: list[LoggedEnding] = []
    looked = 0
    while True:
        size = max(_PAGE, limit) if wanted else limit - len(found)
        entries: list[Any] = await connection.call(*asked.command(settings, after), "COUNT", size)
        for entry, parts in entries:
            looked += 1
            after = entry.decode()
            fields = dict(zip(parts[::2], parts[1::2], strict=False))
            if all(fields.get(name) == value for name, value in wanted.items()):
                found.append(_ending(after, fields, asked.outcome))
                if len(found) == limit:
                    return EndingPage(found, after)
        if len(entries) < size:
            return EndingPage(found, "")
        if looked >= MOST_LOOKED:
            return EndingPage(found, after)


async def count_endings(
    connection: Connection, settings: FlowSettings, outcome: Ended, borders_ms: Sequence[int], by: str = ""
) -> list[dict[str | None, int]]:
    """Return for each day how many jobs of a flow have ended so, by what a copied field says.

    Args:
        connection: To the server.
        settings: Those of the flow.
        outcome: How they ended.
        borders_ms: When the days begin, and last when the last one ends, in server milliseconds and in order.
        by: The field; without one, all count for None.

    Raises:
        StoreError: the server cannot be used.
    """
    days = [dict[str | None, int]() for _ in borders_ms[1:]]
    script, begin = settings.script("count_endings"), ""
    named: dict[str, Argument] = {
        **settings.named(),
        "log": settings.keys.endings(settings.flow, outcome),
        "borders": " ".join(map(str, borders_ms)),
        "field": by,
        "most": _COUNTED,
    }
    day: int
    value: bytes
    number: int
    while True:
        following, counts = await connection.run(script, {**named, "from": begin})
        for day, value, number in counts:
            said = _value(value)
            key = said if isinstance(said, str) or said is None else to_json(said).decode()
            days[day][key] = days[day].get(key, 0) + number
        if not following:
            return days
        begin = following[0].decode()


def _ending(entry: str, fields: Mapping[bytes, bytes], outcome: Ended) -> LoggedEnding:
    copied = {name.decode("utf-8", "replace"): _value(value) for name, value in fields.items()}
    job_id, error = fields.get(b"id", b""), fields.get(b"error")
    copied.pop("id", None)
    copied.pop("error", None)
    return LoggedEnding(
        job_id=job_id.decode("utf-8", "replace"),
        outcome=outcome,
        ended=datetime.fromtimestamp(int(entry.partition("-")[0]) / 1000, UTC),
        fields=copied,
        error=None if error is None else error.decode("utf-8", "replace"),
        entry=entry,
    )


def _value(text: bytes) -> JsonValue:
    """Return what a copied field says; None for nothing, and where somebody has edited the log into nonsense."""
    try:
        value: JsonValue = from_json(text) if text else None
    except ValueError:
        return None
    return value
