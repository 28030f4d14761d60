"""Operations that act on one job: `jobs.retry`, `.cancel`, `.delete`, `.move`, `.promote`, `.set_priority`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from flows.api.admin import Admin
from flows.api.jobs.editing import edits_of
from flows.api.known_flow import KnownFlow
from flows.api.operation import operation
from flows.api.views.view import Acted
from flows.errors import JobGone, StateError, ValidationError
from flows.kernel.callers.make_record import state_of
from flows.model.limits.given import refuse_without_rules
from flows.model.names import check_job_id
from flows.model.runs.new_run import RUN_FLOW
from flows.model.state import JobState
from flows.store.jobs.control import Control
from flows.store.jobs.fetch import Fetch
from flows.store.operators.promote import make_due


async def _target(admin: Admin, flow: str | None, job_id: str) -> tuple[KnownFlow, str, str, Control]:
    """Return what is known of a job's flow, the flow and the id of its hash, and what acts on it."""
    job_id = check_job_id(job_id)
    name = flow or await admin.flow_of_job(job_id)
    known = await admin.flow(name)
    known.check_times()
    return known, name, job_id, Control(admin.connection, known.settings)


@operation("jobs.retry", role="operator")
async def retry(admin: Admin, id: str, *, flow: str | None = None) -> Acted:
    """Retry a job that has failed or was cancelled, in the queue where it ended.

    Args:
        id: Of the job.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
        StateError: it has not failed and was not cancelled: the message says what it is.
    """
    _known, name, job_id, control = await _target(admin, flow, id)
    word = await control.retry_job(name, job_id)
    if word == "gone":
        raise JobGone(job_id)
    if word != "retried":
        raise StateError(job_id, word, "retried")
    return Acted(word=word, flow=name, id=job_id)


@operation("jobs.cancel", role="operator", frees=True)
async def cancel(
    admin: Admin, id: str, *, reason: Annotated[str, Field(max_length=1000)] = "cancelled", flow: str | None = None
) -> Acted:
    """Cancel a job and its children; its worker is asked to stop where one has it.

    Args:
        id: Of the job.
        reason: Why; its record has it.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
        StateError: it has ended.
    """
    _known, name, job_id, control = await _target(admin, flow, id)
    word = await control.cancel(name, job_id, reason)
    if word in {"gone", "malformed"}:
        raise JobGone(job_id)
    if word == "too late":
        raise StateError(job_id, "over", "cancelled")
    return Acted(word=word, flow=name, id=job_id)


@operation("jobs.delete", role="operator", frees=True)
async def delete(admin: Admin, id: str, *, flow: str | None = None) -> Acted:
    """Delete a job, its place in its queue, its lookup entries and its children.

    Args:
        id: Of the job.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
    """
    _known, name, job_id, control = await _target(admin, flow, id)
    if not await control.delete(name, job_id):
        raise JobGone(job_id)
    return Acted(word="deleted", flow=name, id=job_id)


@operation("jobs.move", role="operator")
async def move(
    admin: Admin,
    id: str,
    to: str,
    *,
    fields: dict[str, Any] | None = None,
    edit_params: bool = False,
    flow: str | None = None,
) -> Acted:
    """Move a job that no worker has to another queue of its flow, where it waits as if it had just come there.

    Args:
        id: Of a job that waits, is delayed, has failed or was cancelled.
        to: The queue. The job has to have the fields that it needs.
        fields: Other values of some of its fields, as JSON: of what workers have left or are to find.
        edit_params: Params may be among the fields; what it is looked up by then changes with them.
        flow: Its flow; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
        NothingThere: the flow has no such queue.
        ValidationError: it is a child queue, or a field cannot be edited or not so.
        Forbidden: a field is hidden from the caller.
        StateError: a worker has it, it waits for its children, it is done, or it is in that queue already.
    """
    known, name, job_id, control = await _target(admin, flow, id)
    if ":" in known.check_queue(to):
        raise ValidationError(f"{to!r} is a child queue, in which only children of its parents wait")
    edits = None if fields is None else await edits_of(admin, known, job_id, fields, to, params=edit_params)
    word = await control.move(name, job_id, to, edits)
    if word == "gone":
        raise JobGone(job_id)
    if word != "moved":
        raise StateError(job_id, f"in {to!r} already" if word == "there" else word, f"moved to {to!r}")
    return Acted(word=word, flow=name, id=job_id, queue=to)


@operation("jobs.set_priority", role="operator")
async def set_priority(
    admin: Admin, id: str, priority: Annotated[int, Field(ge=1, le=8)], *, flow: str | None = None
) -> Acted:
    """Give a job that waits or is delayed another priority: it waits behind those that have it already.

    Args:
        id: Of the job.
        priority: 1 to 8, 1 first; in a queue with fewer priorities, one of the last.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
        ValidationError: no queue of the flow has priorities.
        StateError: a worker has it, it waits for its children, or it has ended.
    """
    known, name, job_id, control = await _target(admin, flow, id)
    if priority != 1:
        rules = {queue: declared.rules for queue, declared in known.by_queue.items()}
        refuse_without_rules(known.name, priority, 1, rules)
    word = await control.set_priority(name, job_id, priority)
    if word == "gone":
        raise JobGone(job_id)
    if word not in {"set", "same"}:
        raise StateError(job_id, word, "given another priority")
    return Acted(word=word, flow=name, id=job_id)


@operation("jobs.promote", role="operator")
async def promote(admin: Admin, id: str, *, flow: str | None = None) -> Acted:
    """Let a delayed job start now: one that was created for later, or waits for its next attempt.

    Args:
        id: Of the job.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
        StateError: it is not delayed.
        ValidationError: it is a run, whose steps say for themselves what they wait for.
    """
    known, name, job_id, _control = await _target(admin, flow, id)
    if known.name == RUN_FLOW:
        raise ValidationError("a run is not promoted: its steps say for themselves what they wait for")
    [found] = await Fetch(admin.connection, known.settings).hashes([(name, job_id)], ("_status", "_queue"))
    if found is None:
        raise JobGone(job_id)
    state, queue = state_of(found.get("_status")), found.get("_queue", known.settings.first(name).encode()).decode()
    if state != JobState.DELAYED:
        raise StateError(job_id, state, "promoted")
    due = await make_due(admin.connection, known.settings, queue, job_id)
    return Acted(word="promoted" if due else "due already", flow=name, id=job_id, queue=queue)
