"""`flow.jobs`: a query on the jobs of a flow, put together by its methods, `&` and `|`, and what it ends in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias

from flows.errors import ValidationError
from flows.kernel.callers.loop_thread import blocking
from flows.model.find.query import JobQuery
from flows.pipeline.bulk.bulk_job import SyncBulkJob
from flows.pipeline.job_actions import named_target
from flows.pipeline.signature import KeyT, ParamsT

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from flows.model.job import Job
    from flows.model.state import JobState
    from flows.model.values.lookup import LookupValue
    from flows.pipeline.bulk.bulk_job import BulkJob
    from flows.pipeline.find.job_search import JobSearch
    from flows.pipeline.find.page import Count, Page

#: A state, or its name.
StateName: TypeAlias = (
    "JobState | Literal['waiting', 'processing', 'delayed', 'children', 'done', 'failed', 'cancelled']"
)


class Conditions(Generic[ParamsT, KeyT]):
    """What a query asks for. It never changes: each method, `&` and `|` return another one."""

    def __init__(self, search: JobSearch[ParamsT], asked: JobQuery | None = None) -> None:
        self._search = search
        self._asked = JobQuery() if asked is None else asked

    def where(self, key: KeyT, value: LookupValue) -> Self:
        """Ask for jobs besides that are listed under a value of a lookup attribute.

        Raises:
            ValidationError: the flow has no such attribute, or its jobs are not listed by such a value.
        """
        return self._and(self._search.where(key, value))

    def status(self, *states: StateName) -> Self:
        """Ask for jobs besides that are in one of these states.

        Raises:
            ValidationError: there are none, or one is no state.
        """
        return self._and(self._search.status(states))

    def queue(self, *queues: type[Job] | str) -> Self:
        """Ask for jobs besides that wait or run in one of these queues, or ended there.

        Args:
            queues: Job classes, or full names. Jobs of a child queue, `parent:child`, are found only where it is named.

        Raises:
            ValidationError: there are none, or the flow has no such queue.
        """
        return self._and(self._search.queue(queues))

    def created(self, *, since: datetime | None = None, until: datetime | None = None) -> Self:
        """Ask for jobs besides that were created at `since` or later, and before `until`.

        Raises:
            ValidationError: no time is given, one has no time zone, or `since` is not before `until`.
        """
        return self._and(self._search.created(since, until))

    def __and__(self, other: Self) -> Self:
        """Ask for jobs that match both queries.

        Raises:
            ValidationError: the other query is another flow's, or both are too large together.
        """
        return self._and(self._asked_by(other)) if isinstance(other, Conditions) else NotImplemented  # pyright: ignore[reportUnnecessaryIsInstance]

    def __or__(self, other: Self) -> Self:
        """Ask for jobs that match one of both queries.

        Raises:
            ValidationError: the other query is another flow's, or both are too large together.
        """
        if not isinstance(other, Conditions):  # pyright: ignore[reportUnnecessaryIsInstance]
            return NotImplemented
        return type(self)(self._search, self._asked | self._asked_by(other))

    def __repr__(self) -> str:
        """Return what it asks for, as a text."""
        return f"<{type(self).__name__} on {self._search.flow}: {self._asked}>"

    def __str__(self) -> str:
        """Return what it asks for as a text, for people; `parse` takes it."""
        return str(self._asked)

    def parse(self, text: str) -> Self:
        """Ask besides for what a text says: `user_id:62 state:failed|cancelled since:1h or user_id:63`.

        Args:
            text: Words `name:value`, which all have to hold; `|` between values, and `or` between alternatives. Names
                are `state`, `queue`, `since` and `until` (of creation), and lookup attributes.

        Raises:
            QuerySyntaxError: it is none of a query, or names what the flow does not have; its `position` says where.
            ValidationError: both together are too large.
        """
        return self._and(self._search.parse(text))

    def to_dict(self) -> dict[str, Any]:
        """Return what it asks for as plain JSON; `with_conditions` takes it."""
        return self._asked.to_dict()

    def with_conditions(self, plain: dict[str, Any]) -> Self:
        """Ask besides for what `to_dict` of a query has returned.

        Raises:
            ValidationError: it is nothing of that kind.
        """
        return self._and(JobQuery.from_dict(plain))

    def _and(self, asked: JobQuery) -> Self:
        return type(self)(self._search, self._asked & asked)

    def _asked_by(self, other: Conditions[Any, Any]) -> JobQuery:
        if other._search.flow != self._search.flow:
            raise ValidationError(
                f"a query on flow {self._search.flow!r} cannot be joined with one on {other._search.flow!r}"
            )
        return other._asked


class Query(Conditions[ParamsT, KeyT]):
    """A query on the jobs of a flow: `flow.jobs.where("user_id", 62).status("failed")`.

    It is put together by `where`, `status`, `queue`, `created`, `&` and `|`, and never changes; nothing is read
    before it ends in `page` or `count`, and nothing is done before it ends in `retry`, `cancel`, `delete` or `move`.
    Those act on the jobs that match and are there when they are called; see `BulkJob`.
    """

    async def page(
        self,
        cursor: str = "",
        limit: int = 100,
        newest_first: bool | None = None,  # noqa: FBT001 - a page is asked for by few words
    ) -> Page[ParamsT]:
        """Return some of the jobs that match.

        The order is that of the list which is read: lookups list jobs by their creation, queues by since when they
        wait there, ended jobs stand by when they ended.

        Args:
            cursor: What the page before had as its `cursor`.
            limit: So many jobs at most, up to 1,000. The page may have fewer although more are left.
            newest_first: Read from the end. By default only where nothing but ended jobs is asked for, by `status`.

        Raises:
            ValidationError: the cursor is none of this query, or an argument is refused.
            StoreError: the server cannot be used.
        """
        return await self._search.page(self._asked, cursor, limit, newest_first)

    async def count(self) -> Count[ParamsT]:
        """Return how many jobs match, exactly or at least, and the first ten of them.

        Raises:
            StoreError: the server cannot be used.
        """
        return await self._search.count(self._asked)

    async def retry(self, *, undo: timedelta | float = 0) -> BulkJob:
        """Begin to retry the jobs that match and have failed or were cancelled, as `retry_job` does.

        Args:
            undo: Nothing is done for so long, in seconds or as a timedelta: `cancel` of the answer undoes it.

        Raises:
            ValidationError: an argument is refused.
            StoreError: the server cannot be used; StoreFull where it is out of memory.
        """
        return await self._search.bulk.begin("retry", self._asked, undo=undo)

    async def cancel(self, reason: str = "cancelled", *, undo: timedelta | float = 0) -> BulkJob:
        """Begin to cancel the jobs that match and have not ended, with their children, as `cancel_job` does.

        Args:
            reason: Why; each job's record has it.
            undo: Nothing is done for so long, in seconds or as a timedelta: `cancel` of the answer undoes it.

        Raises:
            ValidationError: an argument is refused.
            StoreError: the server cannot be used. Where it is out of memory, this process does it by itself.
        """
        return await self._search.bulk.begin("cancel", self._asked, undo=undo, reason=reason)

    async def delete(self, *, undo: timedelta | float = 0) -> BulkJob:
        """Begin to delete the jobs that match, with their children, as `delete_job` does.

        Of done jobs that no lookup is asked for only a sample is known: the others expire by themselves.

        Args:
            undo: Nothing is done for so long, in seconds or as a timedelta: `cancel` of the answer undoes it.

        Raises:
            ValidationError: an argument is refused.
            StoreError: the server cannot be used. Where it is out of memory, this process does it by itself.
        """
        return await self._search.bulk.begin("delete", self._asked, undo=undo)

    async def move(self, to: type[Job] | str, *, undo: timedelta | float = 0) -> BulkJob:
        """Begin to move the jobs that match, and that no worker has, to another queue, as `move_job` does.

        Args:
            to: The queue, named by its job class or its name.
            undo: Nothing is done for so long, in seconds or as a timedelta: `cancel` of the answer undoes it.

        Raises:
            ValidationError: an argument is refused, or the flow has no such queue.
            StoreError: the server cannot be used; StoreFull where it is out of memory.
        """
        queue = named_target(self._search.declaration, to)
        return await self._search.bulk.begin("move", self._asked, undo=undo, to=queue)


class SyncQuery(Conditions[ParamsT, KeyT]):
    """The same query for plain callers, `flow.sync.jobs`: what it ends in blocks."""

    def __init__(self, search: JobSearch[ParamsT], asked: JobQuery | None = None) -> None:
        super().__init__(search, asked)
        query = Query[ParamsT, KeyT](search, asked)
        self.page = blocking(query.page)
        self.count = blocking(query.count)
        self._query = query

    def retry(self, *, undo: timedelta | float = 0) -> SyncBulkJob:
        """Begin to retry jobs, as `flow.jobs` does."""
        return SyncBulkJob(blocking(self._query.retry)(undo=undo))

    def cancel(self, reason: str = "cancelled", *, undo: timedelta | float = 0) -> SyncBulkJob:
        """Begin to cancel jobs, as `flow.jobs` does."""
        return SyncBulkJob(blocking(self._query.cancel)(reason, undo=undo))

    def delete(self, *, undo: timedelta | float = 0) -> SyncBulkJob:
        """Begin to delete jobs, as `flow.jobs` does."""
        return SyncBulkJob(blocking(self._query.delete)(undo=undo))

    def move(self, to: type[Job] | str, *, undo: timedelta | float = 0) -> SyncBulkJob:
        """Begin to move jobs, as `flow.jobs` does."""
        return SyncBulkJob(blocking(self._query.move)(to, undo=undo))
