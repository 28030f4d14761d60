"""Asserts which jobs and runs wait, or are delayed."""

# pyright: reportPrivateUsage=false
# (the kit sees what users do not)

from __future__ import annotations

import dataclasses
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from flows.errors import MalformedJob
from flows.kernel.callers.make_record import make_record
from flows.model.job import Job
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.queue_names import workflow_of
from flows.store.jobs.places import standing
from flows.testing.programs import AppProgram, FlowProgram
from flows.workflow.declared import Declared

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from pydantic import BaseModel

    from flows.pipeline.flow import Flow
    from flows.testing.programs import Program

#: What is asserted: params, the job class of a queue, the input of workflows, or a workflow.
Kind: TypeAlias = "type[Any] | Declared"
#: How far from its due time a job may be.
_NEAR: Final = timedelta(seconds=1)
#: So many of the jobs that are there an error shows.
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class _Enqueued:
    """A job or a run that waits or is delayed."""

    queue: str
    due: datetime | None
    data: Any

    def __str__(self) -> str:
        return f"{self.data!r} in {self.queue!r}" + (f", due {self.due}" if self.due else "")


async def assert_enqueued(
    programs: Sequence[Program],
    kind: Kind,
    fields: Mapping[str, object],
    count: int | None,
    delayed_until: datetime | None,
) -> None:
    """Assert that jobs of a kind wait or are delayed: at least one, or exactly `count`.

    Raises:
        AssertionError: there are others.
        ValueError: the kind has no such field.
    """
    name = kind.name if isinstance(kind, Declared) else kind.__name__
    if unknown := fields.keys() - _fields_of(kind):
        raise ValueError(f"{name} has no field {', '.join(sorted(unknown))}")
    there = [job for program in programs async for job in _enqueued(program, kind)]
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
        f"{'at least one' if count is None else count} {name}({wanted}){when} should be enqueued, "
        f"and {many}; enqueued are{listed or ' none'}"
    )


def _fields_of(kind: Kind) -> set[str]:
    declared: Any = kind if isinstance(kind, type) else None if kind.input is None else kind.input.declared
    if dataclasses.is_dataclass(declared):
        return {field.name for field in dataclasses.fields(declared)}
    return set(getattr(declared, "model_fields", ()))


async def _enqueued(program: Program, kind: Kind) -> AsyncGenerator[_Enqueued]:
    if isinstance(program, FlowProgram):
        if isinstance(kind, type):
            async for job in _jobs(program.flow, kind):
                yield job
    elif isinstance(program, AppProgram):
        async for run in _runs(program, kind):
            yield run


async def _jobs(flow: Flow[Any, Any, Any], kind: type[BaseModel]) -> AsyncGenerator[_Enqueued]:
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


async def _runs(program: AppProgram, kind: Kind) -> AsyncGenerator[_Enqueued]:
    """Go through the runs of a workflow, or of those whose input is of a kind."""
    session = await program.open()
    definitions = {one.name: one for one in program.definitions if one.name == _name_of(kind) or _takes(one, kind)}
    for queue in await program.queues():
        workflow = definitions.get(workflow_of(queue))
        if workflow is None:
            continue
        due = dict(await standing(session.connection, session.settings, queue))
        hashes = await session.fetch.hashes([(RUN_FLOW, run_id) for run_id in due], ("input",))
        for at, found in zip(due.values(), hashes, strict=True):
            if found is not None:
                when = None if at is None else datetime.fromtimestamp(at / 1000, UTC)
                [data] = workflow.arguments(found.get("input", b"null")) or (None,)
                yield _Enqueued(queue, when, data)


def _name_of(kind: Kind) -> str:
    return kind.name if isinstance(kind, Declared) else ""


def _takes(workflow: Declared, kind: Kind) -> bool:
    declared = None if workflow.input is None else workflow.input.declared
    return isinstance(kind, type) and isinstance(declared, type) and issubclass(declared, kind)
