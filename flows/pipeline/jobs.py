"""The jobs of one flow, from the outside: create, fetch, wait, cancel, retry, delete."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import from_json
from typing_extensions import TypeVar

from flows.errors import JobGone, StateError, ValidationError, WaitTimeout
from flows.model.codec import encode, encode_value
from flows.model.history import history_of, last_attempt
from flows.model.ids import new_job_id
from flows.model.job import JobError
from flows.model.lookup import lookup_text
from flows.model.names import is_job_id
from flows.model.record import JobRecord
from flows.model.state import TERMINAL, JobState
from flows.store.fetch import KERNEL_FIELDS, child_jobs
from flows.store.signals import LOOK_AGAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flows.kernel.runtime import Runtime
    from flows.pipeline.declaration import Declaration
    from flows.store.creation import NewJob

ParamsT = TypeVar("ParamsT", bound=BaseModel)

_IDS = 500


class Jobs(Generic[ParamsT]):
    """All that can be done with the jobs of one flow."""

    def __init__(self, runtime: Runtime, declaration: Declaration, params: type[ParamsT]) -> None:
        self._runtime = runtime
        self._declaration = declaration
        self._params = params
        self._attributes = tuple(declaration.options.lookup_attributes)
        self._flow = declaration.options.name

    async def create(self, params: ParamsT, correlation_id: str | None) -> str:
        """Create one job."""
        await self._runtime.open()
        job = self._prepared(params, correlation_id)
        await self._runtime.creation.create(job)
        return job.id

    async def create_many(self, many: Iterable[ParamsT], correlation_id: str | None) -> list[str]:
        """Create a job for each, many to a round trip."""
        await self._runtime.open()
        return await self._runtime.creation.create_many(self._prepared(params, correlation_id) for params in many)

    async def get(
        self, ids: Sequence[str], keys: Sequence[str] | None, *, resolve: bool
    ) -> list[JobRecord[ParamsT] | None]:
        """Return the records of ids, None for each that is gone."""
        await self._runtime.open()
        jobs = [(self._flow, _checked(job_id)) for job_id in ids]
        records = await self._records(jobs, keys, self._params)
        if resolve:
            await self._resolve([record for record in records if record is not None])
        return records

    async def by_key(
        self, attribute: str, value: object, *, resolve: bool, limit: int, offset: int, newest_first: bool
    ) -> list[JobRecord[ParamsT]]:
        """Return a page of the jobs that a lookup lists; ids that are gone or repeated are skipped."""
        await self._runtime.open()
        if attribute not in self._attributes:
            known = ", ".join(self._attributes) or "none"
            msg = f"{attribute!r} is no lookup attribute of flow {self._flow!r}; they are {known}"
            raise ValidationError(msg)
        text = lookup_text(value)
        if text is None:
            msg = f"{attribute}={value!r}: jobs are found by a str, an int or a float"
            raise ValidationError(msg)
        if limit < 1 or offset < 0:
            msg = f"limit={limit} and offset={offset}: give at least 1 and 0"
            raise ValidationError(msg)
        ids = await self._page(attribute, text, limit, offset, newest_first=newest_first)
        found = await self.get(ids, None, resolve=resolve)
        return [record for record in found if record is not None]

    async def wait_for(self, job_id: str, timeout: float) -> JobRecord[ParamsT]:
        """Return the job when it has ended."""
        await self._runtime.open()
        signals, keys = self._runtime.signals, self._runtime.settings.keys
        channel, waited_for = keys.ended(self._flow, _checked(job_id)), keys.waited_for(self._flow)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        event = asyncio.Event()

        def wake(_told: str | None) -> None:
            event.set()

        try:
            await signals.subscribe(waited_for, _heard_nothing)
            await signals.subscribe(channel, wake)
            while True:
                record = (await self.get([job_id], None, resolve=False))[0]
                if record is None:
                    raise JobGone(job_id)
                if record.status in TERMINAL:
                    return record
                left = deadline - loop.time()
                if left <= 0:
                    msg = f"job {job_id} is still {record.status} in {record.queue!r} after {timeout} s"
                    raise WaitTimeout(msg)
                try:
                    async with asyncio.timeout(min(left, LOOK_AGAIN)):
                        await event.wait()
                except TimeoutError:
                    continue
                event.clear()
        finally:
            signals.unsubscribe(channel, wake)
            signals.unsubscribe(waited_for, _heard_nothing)

    async def cancel(self, job_id: str, reason: str) -> str:
        """Cancel a job and its children."""
        await self._runtime.open()
        encode_value("reason", reason)  # refused here, where it cannot be written
        word = await self._runtime.control.cancel(self._flow, _checked(job_id), reason)
        if word in {"gone", "malformed"}:
            raise JobGone(job_id)
        return word

    async def retry(self, job_id: str) -> None:
        """Give a job that has failed or was cancelled a new life."""
        await self._runtime.open()
        word = await self._runtime.control.retry_job(self._flow, _checked(job_id))
        if word == "gone":
            raise JobGone(job_id)
        if word != "retried":
            raise StateError(job_id, word, "retried")

    async def delete(self, job_id: str) -> bool:
        """Delete a job and its children."""
        await self._runtime.open()
        return await self._runtime.control.delete(self._flow, _checked(job_id))

    async def log(self, job_id: str) -> list[str]:
        """Return the lines that a job has logged."""
        await self._runtime.open()
        return await self._runtime.fetch.log(self._flow, _checked(job_id))

    def _prepared(self, params: ParamsT, correlation_id: str | None) -> NewJob:
        if not isinstance(params, self._params):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"create_job of flow {self._flow!r} takes a {self._params.__name__}, not {type(params).__name__}"
            raise ValidationError(msg)
        fields = encode(params)
        if correlation_id is not None:
            if not isinstance(correlation_id, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                msg = f"correlation_id={correlation_id!r}: give a str"
                raise ValidationError(msg)
            fields["_correlation_id"] = encode_value("correlation_id", correlation_id)
        values = [(name, getattr(params, name)) for name in self._attributes]
        return self._runtime.creation.prepare(new_job_id(), fields, values)

    async def _page(self, attribute: str, text: str, limit: int, offset: int, *, newest_first: bool) -> list[str]:
        fetch = self._runtime.fetch
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
        self, jobs: Sequence[tuple[str, str]], keys: Sequence[str] | None, params: type[Any]
    ) -> list[JobRecord[Any] | None]:
        fields = () if keys is None else (*keys, *KERNEL_FIELDS, *(f"children:{q}:jobs" for q in self._parents()))
        hashes = await self._runtime.fetch.hashes(jobs, fields)
        return [
            None if found is None else self._record(flow, job_id, found, params)
            for (flow, job_id), found in zip(jobs, hashes, strict=True)
        ]

    def _parents(self) -> list[str]:
        return [name for name, plan in self._declaration.plans.items() if plan.options.children]

    def _record(self, flow: str, job_id: str, found: dict[str, bytes], params: type[Any]) -> JobRecord[Any]:
        children: list[str] = []
        for name, value in found.items():
            if name.startswith("children:") and name.endswith(":jobs"):
                children += [child_id for _flow, child_id in child_jobs(value, self._runtime.settings.keys.namespace)]
        error = _error(found.get("_error"))
        worker, attempts = last_attempt(found.get("_attempt", b""))
        return JobRecord(
            job_id=job_id,
            flow_name=flow,
            status=_state(found.get("_status")),
            queue=found.get("_queue", self._runtime.settings.first(flow).encode()).decode("utf-8", "replace"),
            attempts=attempts,
            error=error,
            worker=worker,
            history=history_of(found, error),
            progress=_progress(found.get("_progress")),
            children=children,
            fields=found,
            params_class=params,
        )

    async def _resolve(self, records: list[JobRecord[Any]]) -> None:
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
                for (record, _id), child in zip(of_flow, await self._records(jobs, None, params), strict=True):
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


def _checked(job_id: object) -> str:
    if not isinstance(job_id, str) or not is_job_id(job_id):
        msg = f"{job_id!r} is no job id: those are UUIDs, as create_job returns them"
        raise ValidationError(msg)
    return job_id


def _state(raw: bytes | None) -> JobState:
    """A hash without a state waits; one that was edited into nonsense counts as failed."""
    if raw is None:
        return JobState.WAITING
    try:
        return JobState(raw.decode())
    except ValueError:
        return JobState.FAILED


def _heard_nothing(_told: str | None) -> None:
    """Listen only to be counted."""


def _error(raw: bytes | None) -> JobError | None:
    if raw is None:
        return None
    try:
        return JobError.model_validate_json(raw)
    except PydanticValidationError:
        return JobError(type="MalformedJob", message=raw.decode("utf-8", "replace"))


def _progress(raw: bytes | None) -> tuple[float, str] | None:
    try:
        told: Any = from_json(raw or b"null")
        return (float(told["value"]), str(told["message"])) if told else None
    except (ValueError, TypeError, KeyError):
        return None
