"""Jumps within the list of the jobs of one queue and state: a million of them are not read up to there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.views.cursor import BEGIN, Position, write_cursor
from flows.store.views.source import Sources

if TYPE_CHECKING:
    from flows.model.find.query import JobQuery
    from flows.store.client.connection import Connection
    from flows.store.views.find import Finder
    from flows.store.views.source import Source

#: Stands for the id of a job where its index alone says where it is.
_ANY_ID = "-"


def place_of(finder: Finder, query: JobQuery) -> Source | None:
    """Return the one list in which all jobs of a query stand, and no others of its flow; None where there is none."""
    [one, *others] = query.alternatives or [None]
    if one is None or others or one.lookups or one.bounded:
        return None
    places = Sources(finder.settings, finder.queues).places_of(one)
    return places[0] if len(places) == 1 and places[0].queue not in finder.settings.shared else None


async def cursor_at(connection: Connection, place: Source, query: JobQuery, at: int, *, newest_first: bool) -> str:
    """Return the cursor by which a query is read from the place number `at` of its one list on, from 1 on.

    Raises:
        StoreError: the server cannot be used.
    """
    behind = Position(_ANY_ID, at - 1, BEGIN.time)
    if place.kind == "set":
        behind = await _member(connection, place, at - 1, newest_first=newest_first)
    return write_cursor(query, [(0, place, behind)], newest_first=newest_first)


async def _member(connection: Connection, place: Source, rank: int, *, newest_first: bool) -> Position:
    """Return what stands at a rank of a sorted set, or last in it."""
    order = ("REV",) if newest_first else ()
    for start in (rank, -1):
        found = await connection.call("ZRANGE", place.key, start, start, *order, "WITHSCORES")
        if found:
            job_id, score = found[:2] if len(found) > 1 else found[0]
            return Position(job_id.decode("utf-8", "replace"), rank, f"{float(score):.17g}")
    return BEGIN
