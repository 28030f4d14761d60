"""Finds the jobs that a query asks for, by the lists that the flow has, and looks at them for what no list knows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from flows.api.reading.hiding import Hiding
from flows.api.reading.query import JobQuery
from flows.api.reading.rows import job_rows
from flows.api.views.jobs import JobPage, StateCount
from flows.errors import Forbidden, ValidationError
from flows.kernel.callers.looked_at import fitting
from flows.kernel.callers.make_record import make_record
from flows.model.find.conditions import ERROR_TYPE
from flows.model.find.conjunction import Conjunction
from flows.model.find.query import JobQuery as Asked
from flows.model.find.query_text import Known
from flows.model.ids import created_at
from flows.model.names import is_own
from flows.model.state import JobState
from flows.store.jobs.fetch import KERNEL_FIELDS, Fetch
from flows.store.operators.directory import flow_of_job
from flows.store.views.count import count
from flows.store.views.find import MOST_LOOKED, Finder
from flows.store.views.place import cursor_at, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.api.admin import Admin
    from flows.api.known_flow import KnownFlow
    from flows.model.find.conditions import Condition
    from flows.store.views.source import Source

#: Why a list has no places to jump to.
NO_PLACES: Final = (
    "at= is for the jobs of one queue, without priorities and groups, in one state: such as queue:… state:waiting; "
    "of others, go on by the cursor of a page"
)
#: Of each state so many jobs are looked at to count them: a list of jobs shows it anew each few seconds.
_MOST_OF_A_STATE: Final = 1_000
#: Flow and id of a job.
_Job = tuple[str, str]


async def searched(admin: Admin, query: JobQuery, flow: str | None) -> Search:
    """Return a query that was checked: what it names is there, and is not hidden from the caller.

    Raises:
        ValidationError: it names no flow where there are several, or what the flow does not have.
        Forbidden: it searches by what is hidden, or the flow is none of the caller's.
        NothingThere: there is no such flow.
        StoreError: the server cannot be used.
    """
    name = query.flow or flow
    if query.flow and flow and query.flow != flow:
        raise ValidationError(f"the query names flow {query.flow!r}, and flow={flow!r} was given: name one")
    known = await admin.flow(name or await _only_flow(admin))
    asked = Asked.parse(query.asked, Known(attributes=known.lookups, queues=known.queues))
    search = Search(admin, known, query, asked)
    search.check_hidden(asked)
    return search


async def _only_flow(admin: Admin) -> str:
    flows = [name for name in await admin.flows() if not is_own(name)]
    if len(flows) != 1:
        example = flows[0] if flows else "access"
        raise ValidationError(f"name the flow, as in flow:{example}: there is {', '.join(flows) or 'none yet'}")
    return flows[0]


@dataclass(frozen=True)
class Search:
    """A query on one flow; made by `searched`."""

    admin: Admin
    known: KnownFlow
    query: JobQuery
    asked: Asked

    @property
    def finder(self) -> Finder:
        """What finds the jobs of the flow."""
        return Finder(self.admin.connection, self.known.settings, list(self.known.queues))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Those of the query; messages of errors may quote what is hidden: then `error:` asks for their types alone."""
        if not Hiding(self.admin.caller, self.known.name).names:
            return self.query.conditions
        return tuple(replace(one, name=ERROR_TYPE) if one.name == "error" else one for one in self.query.conditions)

    def check_hidden(self, asked: Asked) -> None:
        """Refuse to search by what is hidden from the caller.

        Raises:
            Forbidden: it does.
        """
        hiding = Hiding(self.admin.caller, self.known.name)
        for one in asked.alternatives:
            for attribute, _text in one.lookups:
                hiding.check_search(attribute)
        if hiding.errors and any(one.name == "error" for one in self.query.conditions):
            raise Forbidden("a query for error:", self.admin.caller.role, "errors are hidden from this caller")

    async def page(self, cursor: str, limit: int, *, count: bool = True, at: int | None = None) -> JobPage:
        """Return a page of jobs, and how many there are unless they are not to be counted.

        Args:
            cursor: What the page before had.
            limit: So many jobs at most.
            count: Whether all are counted.
            at: The place at which it begins, instead of a cursor.

        Raises:
            ValidationError: the cursor is none of this query, or its jobs have no places.
            StoreError: the server cannot be used.
        """
        if self.query.ids:
            jobs = await self.fitting(await self._named())
            return await self._answer(jobs, "", len(jobs), exact=True, looked=len(self.query.ids), sampled=False)
        asked, inner = self._read(cursor) if cursor else (self.asked, await self._cursor_at(at or 0))
        found: list[_Job] = []
        looked = 0
        while True:
            some = await self.finder.page(asked, cursor=inner, limit=limit - len(found), newest_first=asked.of_ended)
            found += await self.fitting(some.jobs)
            looked, inner = looked + some.looked_through, some.cursor
            if not inner or len(found) >= limit or looked >= MOST_LOOKED:
                break
        total = len(found) if not (cursor or at or inner) else None
        rest = self._written(asked, inner) if inner else ""
        if total is None and count and not self.conditions:
            total, exact, _sample = await self.counted()
        else:
            exact = total is not None and not some.sampled
        page = await self._answer(found, rest, total, exact=exact, looked=looked, sampled=some.sampled)
        return page if cursor or self._place is None else page.model_copy(update={"place": at or 0})

    @property
    def _place(self) -> Source | None:
        """The one list in which its jobs stand, and no others."""
        return None if self.conditions or self.query.ids else place_of(self.finder, self.asked)

    async def _cursor_at(self, at: int) -> str:
        if not at:
            return ""
        if self._place is None:
            raise ValidationError(NO_PLACES)
        return await cursor_at(self.admin.connection, self._place, self.asked, at, newest_first=self.asked.of_ended)

    async def by_state(self) -> list[StateCount]:
        """Return how many jobs there are in each state that fit all else that is asked for.

        Raises:
            StoreError: the server cannot be used.
        """
        rest = Asked(tuple(replace(one, states=None) for one in self.asked.alternatives))
        found: list[StateCount] = []
        for state in JobState:
            search = replace(self, asked=rest & Asked((Conjunction(states=frozenset({state})),)))
            number, exact, _sample = await search.counted(_MOST_OF_A_STATE)
            sampled = state == JobState.DONE and any(not one.lookups for one in rest.alternatives)
            found.append(StateCount(state=state, count=number, exact=exact, sampled=sampled and not self.query.ids))
        return found

    async def fitting(self, jobs: Sequence[_Job]) -> list[_Job]:
        """Return those of some jobs that fit what no list knows.

        Raises:
            StoreError: the server cannot be used.
        """
        return await fitting(self.admin.connection, self.known.settings, jobs, self.conditions)

    async def counted(self, most: int = MOST_LOOKED) -> tuple[int, bool, list[_Job]]:
        """Return how many jobs match, whether exactly so many, and the first ten; at most `most` are looked at.

        Raises:
            StoreError: the server cannot be used.
        """
        newest = self.asked.of_ended
        if self.query.ids:
            jobs = await self.fitting(await self._named())
            return len(jobs), True, jobs[:10]
        if not self.conditions:
            found = await count(self.finder, self.admin.connection, self.asked, newest_first=newest, most=most)
            return found.number, found.exact, found.sample
        some = await self.finder.page(self.asked, limit=most, newest_first=newest, most=most)
        jobs = await self.fitting(some.jobs)
        return len(jobs), not some.cursor and not some.sampled, jobs[:10]

    async def _answer(
        self, jobs: list[_Job], cursor: str, total: int | None, *, exact: bool, looked: int, sampled: bool
    ) -> JobPage:
        return JobPage(
            flow=self.known.name,
            jobs=await job_rows(self.admin, self.known, jobs),
            cursor=cursor,
            total=total,
            exact=exact,
            looked_through=looked,
            sampled=sampled,
        )

    async def _named(self) -> list[_Job]:
        """Return the jobs that the query names by their ids, and that fit all else."""
        names = [self.known.name, *(queue for queue in self.known.queues if ":" in queue)]
        settings = self.known.settings
        found: list[_Job] = []
        for job_id in dict.fromkeys(self.query.ids):
            flow = await flow_of_job(self.admin.connection, settings.keys, job_id, names)
            if flow is not None:
                found.append((flow, job_id))
        hashes = await Fetch(self.admin.connection, settings).placed_hashes(found, (*KERNEL_FIELDS, "_lookups"))
        return [
            job
            for job, one in zip(found, hashes, strict=True)
            if one is not None and any(_fits(self.known, job, one, asked) for asked in self.asked.alternatives)
        ]

    def _written(self, asked: Asked, inner: str) -> str:
        """Return a cursor that keeps the times of the query: `since:1h` means another hour when the next page comes."""
        text = json.dumps([self._digest, asked.to_dict(), inner], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _read(self, cursor: str) -> tuple[Asked, str]:
        try:
            padded = cursor.encode() + b"=" * (-len(cursor) % 4)
            digest, plain, inner = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, TypeError, binascii.Error, RecursionError):
            digest, plain, inner = "", None, ""
        if digest != self._digest or not isinstance(inner, str):
            raise ValidationError("this is no cursor of this query: give what the page before had, or ''")
        asked = Asked.from_dict(plain)
        self.check_hidden(asked)
        return asked, inner

    @property
    def _digest(self) -> str:
        return hashlib.sha256(json.dumps([self.known.name, self.query.text]).encode()).hexdigest()[:16]


def _fits(known: KnownFlow, job: _Job, found: dict[str, bytes], asked: Conjunction) -> bool:
    record = make_record(known.settings, *job, found, BaseModel)
    listed = set(found.get("_lookups", b"").decode("utf-8", "replace").split("\n"))
    created = round(created_at(record.id).timestamp() * 1000)
    return (
        (asked.states is None or record.status in asked.states)
        and (asked.queues is None or record.queue in asked.queues)
        and asked.since_ms <= created < asked.until_ms
        and all(f"{attribute}:{text}" in listed for attribute, text in asked.lookups)
    )
