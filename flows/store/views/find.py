"""Finds the jobs that match a query, a page at a time: reads its sources by `find.lua` and merges what they have."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flows.model.names import is_job_id
from flows.model.state import JobState
from flows.store.client.wire import ReplyError
from flows.store.views.cursor import BEGIN, Position, read_cursor, write_cursor
from flows.store.views.source import Source, Sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flows.model.find.conjunction import Conjunction
    from flows.model.find.query import JobQuery
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: One call looks at so many jobs at most.
MOST_LOOKED: Final = 10_000
#: One script looks at so many.
_PAGE: Final = 250
#: And at so many where there are many sources.
_LEAST: Final = 20
#: So many scripts are sent in one write.
_TOGETHER: Final = 50


@dataclass(frozen=True, slots=True)
class FoundJobs:
    """A page of jobs that match a query."""

    jobs: list[tuple[str, str]]
    """Flow and id of each."""
    cursor: str
    """Where the next page begins; empty at the end."""
    looked_through: int
    """How many ids were looked at."""
    sampled: bool
    """Whether done jobs were asked for that no lookup names: of those, only a sample is known."""


@dataclass(slots=True)
class _Stream:
    """A source that is being read, for one alternative of the query."""

    alternative: int
    source: Source
    flow: str
    position: Position = BEGIN
    """Behind the last job that was taken from it."""
    found: deque[Position] = field(default_factory=deque[Position])
    """What was read and not taken yet."""
    behind: Position | None = BEGIN
    """Where reading goes on; None at the end of the source."""

    def take(self) -> Position:
        """Return the next job."""
        taken = self.found.popleft()
        self.position = taken if self.found else self.behind or taken
        return taken

    @property
    def over(self) -> bool:
        return not self.found and self.behind is None


class Finder:
    """Finds jobs of one flow and of its child queues."""

    def __init__(self, connection: Connection, settings: FlowSettings, queues: Sequence[str]) -> None:
        self._connection = connection
        self.settings = settings
        self.queues = queues
        self._sources = Sources(settings, queues)

    async def page(
        self, query: JobQuery, *, cursor: str = "", limit: int = 100, newest_first: bool, most: int = MOST_LOOKED
    ) -> FoundJobs:
        """Return up to `limit` jobs, fewer where over `most` ids would have to be looked at.

        Raises:
            ValidationError: the cursor is none of this query.
            StoreError: the server cannot be used.
        """
        streams = await self._streams(query, cursor, newest_first=newest_first)
        found: dict[tuple[str, str], None] = {}
        looked = 0
        while len(found) < limit:
            dry = [stream for stream in streams if not stream.found and stream.behind is not None]
            if dry and looked < most:
                looked += await self._read(query, dry, limit - len(found), most - looked, newest=newest_first)
                continue
            full = [stream for stream in streams if stream.found]
            if not full:
                break
            pick = max if newest_first else min
            stream = pick(full, key=lambda stream: stream.found[0].order)
            job_id = stream.take().job_id.rpartition(":")[2]  # in a shared queue, its flow stands before it
            if is_job_id(job_id):
                found[stream.flow, job_id] = None
        left = [stream for stream in streams if not stream.over]
        ends = [(stream.alternative, stream.source, stream.position) for stream in left]
        return FoundJobs(list(found), write_cursor(query, ends, newest_first=newest_first), looked, _is_sampled(query))

    async def _streams(self, query: JobQuery, cursor: str, *, newest_first: bool) -> list[_Stream]:
        if cursor:
            known = [
                {(source.kind, source.state, source.name): source for source in self._all_of(one)}
                for one in query.alternatives
            ]
            read = read_cursor(query, cursor, known, newest_first=newest_first)
            return [
                _Stream(alternative, source, self._sources.flow_of(source), position, behind=position)
                for alternative, source, position in read
            ]
        chosen = await self._sources.cheapest(self._connection, query.alternatives)
        return [
            _Stream(alternative, source, self._sources.flow_of(source))
            for alternative, sources in enumerate(chosen)
            for source in sources
        ]

    def _all_of(self, one: Conjunction) -> list[Source]:
        return [*self._sources.lookups_of(one), *self._sources.places_of(one)]

    async def _read(self, query: JobQuery, dry: Sequence[_Stream], limit: int, most: int, *, newest: bool) -> int:
        """Read on where nothing is left of what was read; return how many ids were looked at."""
        each = max(_LEAST, min(_PAGE, most // len(dry)))
        script, looked = self.settings.script("find"), 0
        for start in range(0, len(dry), _TOGETHER):
            some = dry[start : start + _TOGETHER]
            named = [self._named(query, stream, limit=limit, most=each, newest=newest) for stream in some]
            replies: list[Any] = await self._connection.together([script.command(one) for one in named])
            for stream, one, reply in zip(some, named, replies, strict=True):
                answer = await self._connection.run(script, one) if isinstance(reply, ReplyError) else reply
                jobs, seen, last = answer
                stream.found.extend(Position.of(job) for job in jobs)
                stream.behind = Position.of(last[0]) if last else None
                if not stream.found and stream.behind is not None:
                    stream.position = stream.behind
                looked += seen
            if looked >= most:
                break
        return looked

    def _named(self, query: JobQuery, stream: _Stream, *, limit: int, most: int, newest: bool) -> dict[str, Argument]:
        source, behind = stream.source, stream.behind or BEGIN
        wanted = query.alternatives[stream.alternative]
        asked = {
            "want": _plain(wanted, besides=source.name if source.kind == "lookup" else ""),
            "but": [_plain(other) for other in query.alternatives[: stream.alternative]],
        }
        return {
            **self.settings.named(stream.flow),
            "source": source.key,
            "source_kind": source.kind,
            "place_state": source.state,
            "place_queue": source.queue,
            "query": json.dumps(asked, separators=(",", ":")),
            "newest_first": int(newest),
            "at_index": behind.index,
            "at_time": behind.time,
            "at_id": behind.job_id,
            "at_before": behind.before,
            "most_looked": most,
            "most_found": min(limit, _PAGE),
        }


def _is_sampled(query: JobQuery) -> bool:
    """Return whether done jobs are asked for that no lookup names."""
    return any(not one.lookups and (one.states is None or JobState.DONE in one.states) for one in query.alternatives)


def _plain(asked: Conjunction, besides: str = "") -> dict[str, Any]:
    """Return conditions as the script reads them, but for the lookup whose list is read."""
    return {**asked.to_dict(), "where": list(_lines(asked, besides)), **_times(asked)}


def _lines(asked: Conjunction, besides: str) -> Iterator[str]:
    for attribute, text in sorted(asked.lookups):
        if (line := f"{attribute}:{text}") != besides:
            yield line


def _times(asked: Conjunction) -> dict[str, int]:
    return {"since": asked.since_ms, "until": asked.until_ms} if asked.bounded else {}
