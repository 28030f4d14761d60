"""The function of a bulk action: walks the jobs of its query in pages, and acts on each page in one write."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from flows.kernel.callers.looked_at import fitting
from flows.kernel.current import current_job
from flows.model.codec import encode_value
from flows.model.find.conditions import read_conditions
from flows.model.find.conjunction import LAST_MS, Conjunction
from flows.model.find.query import JobQuery
from flows.model.state import JobState
from flows.pipeline.bulk.action import BulkAction, BulkDone, BulkParams
from flows.pipeline.bulk.tally import ERROR, Tally
from flows.store.jobs.many import Asked, ManyJobs
from flows.store.views.find import Finder
from flows.store.views.source import Sources

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from flows.errors import StoreError
    from flows.store.client.connection import Connection
    from flows.store.jobs.control import Control
    from flows.store.jobs.flow_settings import FlowSettings
    from flows.store.views.find import FoundJobs

#: So many jobs are looked for at once, and acted on before that is told.
_PAGE: Final = 200
#: So many pages are read before they are acted on.
_AHEAD: Final = 2
#: A line of the log for each so many jobs.
_LINE_EACH: Final = 10_000
#: So many errors of single jobs are logged.
_MOST_ERRORS: Final = 20
_S: Final = JobState
#: On jobs of which states each verb acts.
STATES: Final[Mapping[str, frozenset[JobState]]] = {
    "retry": frozenset({_S.FAILED, _S.CANCELLED}),
    "cancel": frozenset({_S.WAITING, _S.DELAYED, _S.PROCESSING, _S.CHILDREN}),
    "delete": frozenset(_S),
    "move": frozenset({_S.WAITING, _S.DELAYED, _S.FAILED, _S.CANCELLED}),
}


class ActedOn(Protocol):
    """What is needed of a flow to act on its jobs: its session has that, and so has who does not have its code."""

    @property
    def connection(self) -> Connection:
        """The connection, of the loop in which this runs."""
        ...

    @property
    def settings(self) -> FlowSettings:
        """The settings of the flow."""
        ...

    @property
    def control(self) -> Control:
        """What acts on single jobs."""
        ...


class Acting:
    """Does bulk actions on the jobs of one flow.

    Args:
        session: The flow's, in the loop in which this runs, or what stands in for it.
        queues: The names of its queues and child queues.
        come_to: Reads how far a bulk action has come.
    """

    def __init__(self, session: ActedOn, queues: Sequence[str], come_to: Callable[[str], Awaitable[Tally]]) -> None:
        self._session = session
        self._queues = queues
        self._come_to = come_to

    async def act(self, job: BulkAction) -> BulkDone:
        """Do a bulk action, from where an earlier attempt of it has come to."""
        current = current_job()
        tally = await self._come_to(job.id)

        def report() -> None:
            current.pass_on(encode_value("progress", tally.to_dict()), None)

        await self.walk(job, tally, report, current.log)
        return BulkDone(words=dict(tally.words))

    async def walk(
        self, action: BulkParams | BulkAction, tally: Tally, report: Callable[[], None], log: Callable[[str], None]
    ) -> None:
        """Act on all jobs of an action, from where the tally says on; `report` is called after each page.

        Raises:
            StoreError: the server cannot be used.
        """
        session = self._session
        # What ended before that was there; of all else only the time in its id tells.
        until = Conjunction(
            states=STATES[action.verb], until_ms=LAST_MS + 1 if action.verb == "retry" else action.before_ms
        )
        query = JobQuery.from_dict(json.loads(action.query)) & JobQuery((until,))
        finder = Finder(session.connection, session.settings, self._queues)
        states = frozenset[str]().union(*(one.states or JobState for one in query.alternatives))
        many = ManyJobs(session.control, Asked(action.verb, states, action.before_ms, action.reason, action.to))
        tally.total = tally.total or await self._to_look_at(query)
        counting = _Counting(tally, log)
        conditions = read_conditions(action.having)

        async def read(cursor: str) -> FoundJobs:
            found = await finder.page(query, cursor=cursor, limit=_PAGE, newest_first=False)
            if not conditions:
                return found
            return replace(found, jobs=await fitting(session.connection, session.settings, found.jobs, conditions))

        ready: asyncio.Queue[FoundJobs | None] = asyncio.Queue(_AHEAD)

        async def read_ahead() -> None:
            page = await read(tally.cursor)
            while page.cursor:
                # A page is acted on when the next one was read: until then its cursor names a job that is there.
                following = await read(page.cursor)
                await ready.put(page)
                page = following
            await ready.put(page)
            await ready.put(None)

        under_way: deque[tuple[FoundJobs, asyncio.Task[list[str | StoreError]]]] = deque()
        async with _unwrapped(), asyncio.TaskGroup() as group:
            group.create_task(read_ahead())

            async def take() -> None:
                acted_on, acting = under_way.popleft()
                counting.take(acted_on, await acting)
                report()

            while (page := await ready.get()) is not None:
                under_way.append((page, group.create_task(many.act(page.jobs))))
                if len(under_way) > 1:  # while the server acts on one page, what it told of the last is taken up here
                    await take()
            await take()
        log(tally.to_dict()["message"])

    async def _to_look_at(self, query: JobQuery) -> int:
        """Return how many ids the walk will look at, more or less."""
        session, sources = self._session, Sources(self._session.settings, self._queues)
        chosen = await sources.cheapest(session.connection, query.alternatives)
        lengths = await sources.lengths(session.connection, [source for some in chosen for source in some])
        return sum(lengths.values())


class _Counting:
    """Counts what became of jobs, and logs the first errors and a line now and then."""

    def __init__(self, tally: Tally, log: Callable[[str], None]) -> None:
        self._tally = tally
        self._log = log
        self._errors = 0

    def take(self, page: FoundJobs, words: Sequence[str | StoreError]) -> None:
        """Count the jobs of a page that was acted on."""
        tally = self._tally
        before = tally.words.total() // _LINE_EACH
        for (_flow, job_id), word in zip(page.jobs, words, strict=True):
            if isinstance(word, str):
                tally.words[word] += 1
                continue
            tally.words[ERROR] += 1
            self._errors += 1
            if self._errors <= _MOST_ERRORS:
                self._log(f"job {job_id}: {word}")
        tally.cursor = page.cursor
        tally.looked += page.looked_through
        if tally.words.total() // _LINE_EACH > before:
            self._log(tally.to_dict()["message"])


@asynccontextmanager
async def _unwrapped() -> AsyncGenerator[None]:
    """Raise the first error of the group in the block, in place of the group."""
    try:
        yield
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
