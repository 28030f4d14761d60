"""Reads the jobs of one flow: records by id or by lookup, with their children, and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from pydantic import BaseModel

from flows.kernel.callers.make_record import make_record, state_of
from flows.kernel.limits.limit_facts import with_limits
from flows.model.arguments import check_flag, check_many, check_text, check_whole
from flows.model.explain.needs import needs_of_class
from flows.model.explain.reasons import explain
from flows.model.names import check_job_id, is_job_id
from flows.pipeline.signature import ParamsT
from flows.store.jobs.fetch import KERNEL_FIELDS, child_jobs
from flows.store.rules.read_limits import limits_of_job
from flows.store.views.explain import situation
from flows.store.views.observe import observe
from flows.store.views.position import position

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from flows.kernel.runtime import Runtime
    from flows.model.explain.explanation import Explanation, Position
    from flows.model.explain.queue_state import QueueState
    from flows.model.record import JobRecord
    from flows.model.state import JobState
    from flows.pipeline.declaration import Declaration
    from flows.store.jobs.fetch import Fetch
    from flows.store.jobs.log_line import LogLine

#: So many ids of a lookup's list are read at once.
_IDS = 500


class JobReader(Generic[ParamsT]):
    """Reads the jobs of one flow."""

    def __init__(self, runtime: Runtime, declaration: Declaration, params: type[ParamsT]) -> None:
        self._runtime = runtime
        self._declaration = declaration
        self._params = params
        self._flow = declaration.options.name

    async def get(
        self, ids: Sequence[str | UUID], keys: Sequence[str] | None, *, resolve: bool
    ) -> list[JobRecord[ParamsT] | None]:
        """Return the records of ids, None for each that is gone."""
        check_flag("resolve_children", resolve)
        jobs = [(self._flow, check_job_id(job_id)) for job_id in check_many("ids", ids, "job ids")]
        if keys is not None:
            keys = [check_text("a name in keys_to_get", key) for key in check_many("keys_to_get", keys, "field names")]
        fetch = (await self._runtime.open()).fetch
        records = await self._records(fetch, jobs, keys, self._params)
        if resolve:
            await self._resolve(fetch, [record for record in records if record is not None])
        return records

    async def record(self, job_id: str) -> JobRecord[ParamsT] | None:
        """Return the record of a job, or None where it is gone."""
        return (await self.get([job_id], None, resolve=False))[0]

    async def state(self, job_id: str) -> JobState | None:
        """Return a job's state, by a small read, or None where it is gone."""
        fetch = (await self._runtime.open()).fetch
        [found] = await fetch.hashes([(self._flow, job_id)], ("_status",))
        return None if found is None else state_of(found.get("_status"))

    async def by_key(
        self, attribute: str, value: object, *, resolve: bool, limit: int, offset: int, newest_first: bool
    ) -> list[JobRecord[ParamsT]]:
        """Return a page of the jobs that a lookup lists; ids that are gone or repeated are skipped."""
        check_flag("resolve_children", resolve)
        check_flag("newest_first", newest_first)
        check_whole("limit", limit, 1)
        check_whole("offset", offset, 0)
        text = self._declaration.looked_up(attribute, value)
        fetch = (await self._runtime.open()).fetch
        ids = await self._page(fetch, attribute, text, limit, offset, newest_first=newest_first)
        found = await self.get(ids, None, resolve=resolve)
        return [record for record in found if record is not None]

    async def log(self, job_id: str | UUID) -> list[LogLine]:
        """Return the last lines that a job has logged."""
        job_id = check_job_id(job_id)
        fetch = (await self._runtime.open()).fetch
        return await fetch.log(self._flow, job_id)

    async def position(self, job_id: str | UUID) -> Position | None:
        """Return how far a job is from its turn; None where it has none to wait for."""
        job_id = check_job_id(job_id)
        session = await self._runtime.open()
        return await position(session.connection, session.settings, [*self._declaration.plans], job_id)

    async def explain(self, job_id: str | UUID) -> Explanation:
        """Return why a job is where it is."""
        job_id = check_job_id(job_id)
        session = await self._runtime.open()
        needs = {name: needs_of_class(plan.options.job) for name, plan in self._declaration.plans.items()}
        found = await situation(session.connection, session.settings, needs, job_id)
        if found.kind == "hash" and found.due and found.queue in session.settings.rules:
            found = with_limits(found, await limits_of_job(session.connection, session.settings, found.queue, job_id))
        return explain(found)

    async def states(self) -> dict[str, QueueState]:
        """Return the state of each queue that the flow declares."""
        session = await self._runtime.open()
        return await observe(session.connection, session.settings, [*self._declaration.plans])

    async def _page(
        self, fetch: Fetch, attribute: str, text: str, limit: int, offset: int, *, newest_first: bool
    ) -> list[str]:
        seen: dict[str, None] = {}
        at = 0
        while len(seen) < offset + limit:
            if newest_first:
                ids = (await fetch.listed(attribute, text, -at - _IDS, -at - 1))[::-1]
            else:
                ids = await fetch.listed(attribute, text, at, at + _IDS - 1)
            if not ids:
                break
            at += _IDS
            seen.update(dict.fromkeys(await fetch.alive([listed for listed in ids if is_job_id(listed)])))
            if len(ids) < _IDS:
                break
        return list(seen)[offset : offset + limit]

    async def _records(
        self, fetch: Fetch, jobs: Sequence[tuple[str, str]], keys: Sequence[str] | None, params: type[Any]
    ) -> list[JobRecord[Any] | None]:
        fields = () if keys is None else (*keys, *KERNEL_FIELDS, *(f"children:{q}:jobs" for q in self._parents()))
        hashes = await fetch.placed_hashes(jobs, fields)
        return [
            None if found is None else make_record(self._runtime.settings, flow, job_id, found, params)
            for (flow, job_id), found in zip(jobs, hashes, strict=True)
        ]

    def _parents(self) -> list[str]:
        return [name for name, plan in self._declaration.plans.items() if plan.options.children]

    async def _resolve(self, fetch: Fetch, records: list[JobRecord[Any]]) -> None:
        """Fetch the children of these records, and theirs, level by level."""
        seen = {(record.flow_name, record.id) for record in records}
        while records:
            below: list[JobRecord[Any]] = []
            wanted = [
                (record, *child) for record in records for child in self._children_of(record) if child not in seen
            ]
            seen.update((flow, job_id) for _record, flow, job_id in wanted)
            found: dict[int, list[JobRecord[BaseModel]]] = {id(record): [] for record in records}
            for flow in dict.fromkeys(flow for _record, flow, _id in wanted):
                of_flow = [(record, job_id) for record, of, job_id in wanted if of == flow]
                plan = self._declaration.plans.get(flow)
                params = plan.options.job if plan else BaseModel
                jobs = [(flow, job_id) for _record, job_id in of_flow]
                for (record, _id), child in zip(of_flow, await self._records(fetch, jobs, None, params), strict=True):
                    if child is not None:
                        found[id(record)].append(child)
                        below.append(child)
            for record in records:
                by_id = {child.id: child for child in found[id(record)]}
                record.children = [by_id[child_id] for child_id in record.child_ids if child_id in by_id]
            records = below

    def _children_of(self, record: JobRecord[Any]) -> list[tuple[str, str]]:
        namespace = self._runtime.settings.keys.namespace
        return [child for jobs in record.job_lists() for child in child_jobs(jobs, namespace)]
