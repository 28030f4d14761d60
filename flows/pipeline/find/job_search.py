"""Searches the jobs of one flow: checks what is asked for by its declaration, and makes records of what is found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic

from flows.errors import DeclarationError, ValidationError
from flows.kernel.callers.make_record import make_record
from flows.model.arguments import check_flag, check_text, check_whole
from flows.model.find.conjunction import LAST_MS, Conjunction
from flows.model.find.query import JobQuery
from flows.model.find.query_text import Known
from flows.model.state import JobState
from flows.pipeline.bulk.bulk_actions import BulkActions
from flows.pipeline.find.page import Count, Page
from flows.pipeline.signature import ParamsT
from flows.store.views.count import count
from flows.store.views.find import Finder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.model.record import JobRecord
    from flows.pipeline.declaration import Declaration

#: A page has so many jobs at most.
MOST_JOBS: Final = 1000


class JobSearch(Generic[ParamsT]):
    """Searches the jobs of one flow."""

    def __init__(self, runtime: Runtime, declaration: Declaration, params: type[ParamsT]) -> None:
        self.runtime = runtime
        self.declaration = declaration
        self._params = params
        self.flow = declaration.options.name
        self.bulk = BulkActions(runtime, declaration)

    def where(self, attribute: object, value: object) -> JobQuery:
        """Return the query on a lookup.

        Raises:
            ValidationError: there is no such lookup attribute, or its jobs are not listed by such a value.
        """
        text = self.declaration.looked_up(attribute, value)
        return JobQuery((Conjunction(lookups=frozenset({(str(attribute), text)})),))

    def status(self, states: Sequence[object]) -> JobQuery:
        """Return the query on states.

        Raises:
            ValidationError: there are none, or one is no state.
        """
        known = [state.value for state in JobState]
        wrong = [state for state in states if not isinstance(state, str) or state not in known]
        if wrong or not states:
            raise ValidationError(f"status({', '.join(map(repr, wrong))}): name some of {', '.join(known)}")
        return JobQuery((Conjunction(states=frozenset(JobState(str(state)) for state in states)),))

    def queue(self, queues: Sequence[Any]) -> JobQuery:
        """Return the query on queues, each named by its job class or its full name.

        Raises:
            ValidationError: there are none, or the flow has no such queue.
        """
        if not queues:
            raise ValidationError(f"queue(): name some of {', '.join(self.declaration.plans)}")
        return JobQuery((Conjunction(queues=frozenset(map(self._name_of, queues))),))

    def _name_of(self, queue: Any) -> str:
        of_class = [name for name, plan in self.declaration.plans.items() if plan.options.job is queue]
        if len(of_class) > 1:
            raise ValidationError(
                f"{queue.__name__} is the job class of several queues: {', '.join(of_class)}; name the queue instead"
            )
        try:
            return of_class[0] if of_class else self.declaration.plan_of(queue).queue
        except DeclarationError as error:
            raise ValidationError(str(error)) from error

    def created(self, since: object, until: object) -> JobQuery:
        """Return the query on when jobs were created.

        Raises:
            ValidationError: no time is given, one has no time zone, or the first is not before the last.
        """
        if since is None and until is None:
            raise ValidationError("created(): give since=, until= or both")
        first = 0 if since is None else _milliseconds("since", since)
        last = LAST_MS + 1 if until is None else _milliseconds("until", until)
        if first >= last:
            raise ValidationError(f"created(since={since}, until={until}): `since` has to be before `until`")
        return JobQuery((Conjunction(since_ms=first, until_ms=last),))

    def parse(self, text: str) -> JobQuery:
        """Return the query that a text stands for.

        Raises:
            QuerySyntaxError: it is none of a query, or names what the flow does not have.
        """
        return JobQuery.parse(text, Known(self.declaration.options.lookup_attributes, [*self.declaration.plans]))

    async def page(self, query: JobQuery, cursor: object, limit: object, newest_first: object) -> Page[ParamsT]:
        """Return a page of the jobs that match."""
        check_text("cursor", cursor)
        limit = check_whole("limit", limit, 1)
        if limit > MOST_JOBS:
            raise ValidationError(f"limit={limit}: a page has up to {MOST_JOBS:,} jobs; take the next by its cursor")
        newest = query.of_ended if newest_first is None else check_flag("newest_first", newest_first)
        session = await self.runtime.open()
        found = await self.finder(session).page(query, cursor=str(cursor), limit=limit, newest_first=newest)
        records = await self._records(session, found.jobs)
        return Page(records, found.cursor, found.looked_through, found.sampled)

    async def count(self, query: JobQuery) -> Count[ParamsT]:
        """Return how many jobs match."""
        session = await self.runtime.open()
        finder = self.finder(session)
        found = await count(finder, session.connection, query, newest_first=query.of_ended)
        return Count(found.number, found.exact, await self._records(session, found.sample))

    def finder(self, session: Session) -> Finder:
        """Return what finds the jobs of the flow and of its child queues."""
        return Finder(session.connection, session.settings, list(self.declaration.plans))

    async def _records(self, session: Session, jobs: Sequence[tuple[str, str]]) -> list[JobRecord[ParamsT]]:
        hashes = await session.fetch.placed_hashes(jobs)
        return [
            make_record(session.settings, flow, job_id, found, self._params_of(flow))
            for (flow, job_id), found in zip(jobs, hashes, strict=True)
            if found is not None
        ]

    def _params_of(self, flow: str) -> Any:
        """Return what a job was created with: of a child, that is what its class declares."""
        return self._params if flow == self.flow else self.declaration.plans[flow].options.job


def _milliseconds(what: str, at: object) -> int:
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise ValidationError(f"{what}={at!r}: give a datetime with a time zone, such as datetime.now(UTC)")
    return min(max(0, int(at.timestamp() * 1000)), LAST_MS + 1)
