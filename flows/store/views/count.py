"""Counts the jobs that match a query: by the lengths of places where those say it, else by looking at jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.model.state import TERMINAL, JobState
from flows.store.views.find import MOST_LOOKED
from flows.store.views.source import Sources, whole_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.find.query import JobQuery
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.jobs.flow_settings import FlowSettings
    from flows.store.views.find import Finder
    from flows.store.views.source import Source

#: So many jobs are named beside a count.
SAMPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Counted:
    """How many jobs match a query."""

    number: int
    exact: bool
    """False: there are at least so many."""
    sample: list[tuple[str, str]]
    """Flow and id of the first few."""


async def count(
    finder: Finder, connection: Connection, query: JobQuery, *, newest_first: bool, most: int = MOST_LOOKED
) -> Counted:
    """Count jobs; at most `most` of them are looked at, where no length says how many there are.

    Raises:
        StoreError: the server cannot be used.
    """
    settings = finder.settings
    sources = Sources(settings, finder.queues)
    places = {place for one in query.alternatives for place in sources.places_of(one)}
    # In the places of a shared queue, jobs of other flows stand too.
    mixed = any(place.queue in settings.shared for place in places)
    if mixed or any(one.lookups or one.bounded for one in query.alternatives):
        found = await finder.page(query, limit=most, newest_first=newest_first, most=most)
        return Counted(len(found.jobs), not found.cursor and not found.sampled, found.jobs[:SAMPLE])
    number = await _standing(connection, settings, sorted(places, key=lambda place: place.key))
    sample = await finder.page(query, limit=SAMPLE, newest_first=newest_first)
    return Counted(number, not sample.sampled, sample.jobs)


async def _standing(connection: Connection, settings: FlowSettings, places: Sequence[Source]) -> int:
    """Return how many jobs stand in places: without ids that were left in a list when their jobs left."""
    seconds, microseconds = await connection.call("TIME")
    now = int(seconds) * 1000 + int(microseconds) // 1000 + settings.ahead_ms
    queues = sorted({place.queue for place in places if place.state == JobState.WAITING})
    commands: list[Command] = [_length(settings, place, now) for place in places]
    commands += [("HGET", settings.keys.meta(queue), "stale") for queue in queues]
    replies = [whole_of(reply) for reply in await connection.together(commands)]
    waiting, others = dict.fromkeys(queues, 0), 0
    for place, length in zip(places, replies, strict=False):
        if place.state == JobState.WAITING:
            waiting[place.queue] += max(0, length)
        else:
            others += length
    stale = replies[len(places) :]
    return others + sum(max(0, length - left) for length, left in zip(waiting.values(), stale, strict=True))


def _length(settings: FlowSettings, place: Source, now: int) -> Command:
    if place.kind != "set" or place.state not in TERMINAL:
        return place.length_command
    # An id stays here until the next job of its queue ends so, its hash only as long as it is kept.
    _done, failed, cancelled = settings.kept_ms
    return ("ZCOUNT", place.key, now - (failed if place.state == JobState.FAILED else cancelled), "+inf")
