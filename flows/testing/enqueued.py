"""Asserts which jobs wait, or are delayed."""

# pyright: reportPrivateUsage=false
# (the kit sees what users do not)

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.errors import MalformedJob
from flows.kernel.callers.make_record import make_record
from flows.model.job import Job
from flows.store.jobs.places import standing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from pydantic import BaseModel

    from flows.pipeline.flow import Flow

#: How far from its due time a job may be.
_NEAR: Final = timedelta(seconds=1)
#: So many of the jobs that are there an error shows.
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class _Enqueued:
    """A job that waits or is delayed."""

    queue: str
    due: datetime | None
    data: BaseModel

    def __str__(self) -> str:
        return f"{self.data!r} in {self.queue!r}" + (f", due {self.due}" if self.due else "")


async def assert_enqueued(
    flows: Sequence[Flow[Any, Any, Any]],
    kind: type[BaseModel],
    fields: Mapping[str, object],
    count: int | None,
    delayed_until: datetime | None,
) -> None:
    """Assert that jobs of a kind wait or are delayed: at least one, or exactly `count`.

    Raises:
        AssertionError: there are others.
        ValueError: no queue of the flows has jobs of that kind, or the kind has no such field.
    """
    if unknown := fields.keys() - kind.model_fields.keys():
        raise ValueError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    there = [job for flow in flows async for job in _enqueued(flow, kind)]
    found = [
        job
        for job in there
        if all(getattr(job.data, name) == value for name, value in fields.items())
        and (delayed_until is None or (job.due is not None and abs(job.due - delayed_until) <= _NEAR))
    ]
    if len(found) == count or (count is None and found):
        return
    wanted = ", ".join([*(f"{name}={value!r}" for name, value in fields.items())])
    when = "" if delayed_until is None else f", due {delayed_until}"
    many = "none is" if not found else f"{len(found)} are"
    kinds = [str(job) for job in there]
    listed = "".join(f"\n  {times} times {text}" for text, times in list(Counter(kinds).items())[:_SHOWN])
    raise AssertionError(
        f"{'at least one' if count is None else count} {kind.__name__}({wanted}){when} should be enqueued, "
        f"and {many}; enqueued are{listed or ' none'}"
    )


async def _enqueued(flow: Flow[Any, Any, Any], kind: type[BaseModel]) -> AsyncGenerator[_Enqueued]:
    """Go through the jobs of a kind: of the queues whose job class it is, or else all that are no children."""
    plans = flow._declaration.plans
    if issubclass(kind, Job):
        queues = [name for name, plan in plans.items() if plan.options.job is kind]
    else:
        queues = [name for name in plans if ":" not in name and issubclass(flow._declaration.params, kind)]
    session = await flow._runtime.open()
    for queue in queues:
        due = dict(await standing(session.connection, session.settings, queue))
        of = session.settings.flow_of(queue)
        hashes = await session.fetch.hashes([(of, job_id) for job_id in due])
        for (job_id, at), found in zip(due.items(), hashes, strict=True):
            when = None if at is None else datetime.fromtimestamp(at / 1000, UTC)
            if found is not None:
                with suppress(MalformedJob):
                    yield _Enqueued(queue, when, make_record(session.settings, of, job_id, found, kind).view(kind))
