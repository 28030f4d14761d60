"""The function of a bulk action: walks the jobs of its query in pages, and acts on each page in one write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from flows.kernel.current import current_job
from flows.model.codec import encode_value
from flows.model.find.conjunction import LAST_MS, Conjunction
from flows.model.find.query import JobQuery
from flows.model.state import JobState
from flows.pipeline.bulk.action import BulkAction, BulkDone, BulkParams
from flows.pipeline.bulk.tally import ERROR, Tally
from flows.store.jobs.many import Asked, ManyJobs
from flows.store.views.find import Finder
from flows.store.views.source import Sources

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from flows.kernel.session import Session

#: So many jobs are acted on in one write.
_SLICE: Final = 200
#: A line of the log for each so many jobs.
_LINE_EACH: Final = 10_000
#: So many errors of single jobs are logged.
_MOST_ERRORS: Final = 20
_S: Final = JobState
#: On jobs of which states each verb acts.
_STATES: Final[Mapping[str, frozenset[JobState]]] = {
    "retry": frozenset({_S.FAILED, _S.CANCELLED}),
    "cancel": frozenset({_S.WAITING, _S.DELAYED, _S.PROCESSING, _S.CHILDREN}),
    "delete": frozenset(_S),
    "move": frozenset({_S.WAITING, _S.DELAYED, _S.FAILED, _S.CANCELLED}),
}


class Acting:
    """Does bulk actions on the jobs of one flow.

    Args:
        session: The flow's, in the loop in which this runs.
        queues: The names of its queues and child queues.
        come_to: Reads how far a bulk action has come.
    """

    def __init__(self, session: Session, queues: Sequence[str], come_to: Callable[[str], Awaitable[Tally]]) -> None:
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
            states=_STATES[action.verb], until_ms=LAST_MS + 1 if action.verb == "retry" else action.before_ms
        )
        query = JobQuery.from_dict(json.loads(action.query)) & JobQuery((until,))
        finder = Finder(session.connection, session.settings, self._queues)
        states = frozenset[str]().union(*(one.states or JobState for one in query.alternatives))
        many = ManyJobs(session.control, Asked(action.verb, states, action.before_ms, action.reason, action.to))
        errors = 0
        tally.total = tally.total or await self._to_look_at(query)
        while True:
            page = await finder.page(query, cursor=tally.cursor, limit=_SLICE, newest_first=False)
            words = await many.act(page.jobs)
            before = tally.words.total() // _LINE_EACH
            for (_flow, job_id), word in zip(page.jobs, words, strict=True):
                if isinstance(word, str):
                    tally.words[word] += 1
                    continue
                tally.words[ERROR] += 1
                errors += 1
                if errors <= _MOST_ERRORS:
                    log(f"job {job_id}: {word}")
            tally.cursor = page.cursor
            tally.looked += page.looked_through
            if tally.words.total() // _LINE_EACH > before:
                log(tally.to_dict()["message"])
            report()
            if not page.cursor:
                log(tally.to_dict()["message"])
                return

    async def _to_look_at(self, query: JobQuery) -> int:
        """Return how many ids the walk will look at, more or less."""
        session, sources = self._session, Sources(self._session.settings, self._queues)
        chosen = await sources.cheapest(session.connection, query.alternatives)
        lengths = await sources.lengths(session.connection, [source for some in chosen for source in some])
        return sum(lengths.values())
