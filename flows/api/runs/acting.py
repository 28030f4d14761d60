"""Operations that act on runs: start, cancel, retry, fork, answer and move them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.run_host import run_host
from flows.api.views.runs import RunStarted
from flows.api.views.time import Time
from flows.api.views.view import Acted
from flows.errors import IdempotencyConflict, JobGone, StateError
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.shape import encode_untyped
from flows.model.runs.step_record import check_step_name
from flows.workflow.forks import fork_run
from flows.workflow.move_runs import move_runs
from flows.workflow.new_runs import new_run


@operation("runs.start", role="operator")
async def start(
    admin: Admin,
    workflow: str,
    input: Any = None,
    *,
    delay: Time | None = None,
    run_at: datetime | None = None,
    priority: Annotated[int, Field(ge=1, le=8)] | None = None,
    queue: str | None = None,
    tags: list[str] | None = None,
    idempotency_key: str | None = None,
    correlation_id: str | None = None,
) -> RunStarted:
    """Start a run of a workflow, by its name; its input is validated by the worker that takes it.

    Args:
        workflow: Its name.
        input: Plain JSON.
        delay: It starts so much later.
        run_at: It starts then: an instant with a time zone.
        priority: 1 to 8, 1 first.
        queue: Workers of this queue take it, in place of the workflow's own.
        tags: By what it is found.
        idempotency_key: One run of the workflow for this key: the id of the first is returned.
        correlation_id: A text that all steps of the run see.

    Raises:
        UnknownWorkflow: no app ever had a workflow of this name.
        IdempotencyConflict: the run of this key has other input.
        ValidationError: an option cannot be used; PayloadTooLarge where the input is over the limit.
    """
    host = await run_host(admin)
    host.check_seen(workflow)
    await host.check_known(workflow)
    options = {
        "delay": delay,
        "run_at": run_at,
        "priority": priority,
        "queue": queue,
        "tags": tags,
        "idempotency_key": idempotency_key,
        "correlation_id": correlation_id,
    }
    given = {name: value for name, value in options.items() if value is not None}
    run = host.completed(new_run(workflow, input, given, "runs.start", max_payload=host.max_payload), input)
    [(run_id, word)] = await (await host.runs()).start([run])
    if word == "conflict":
        raise IdempotencyConflict(run_id, run.key or "", what="run")
    return RunStarted(word="started" if word == "created" else word, id=run_id)


@operation("runs.cancel", role="operator", frees=True)
async def cancel(admin: Admin, id: str, *, reason: Annotated[str, Field(max_length=1000)] = "cancelled") -> Acted:
    """Cancel a run, and the runs that it waits for.

    Args:
        id: Of the run.
        reason: Why; its record has it.

    Raises:
        JobGone: there is none of this id.
        StateError: it has ended.
    """
    host = await run_host(admin)
    record = await host.found(id)
    word = await host.control_of(record.workflow).cancel(RUN_FLOW, record.id, reason)
    if word in {"gone", "malformed"}:
        raise JobGone(id, what="run")
    if word == "too late":
        raise StateError(record.id, "over", "cancelled", what="run")
    return Acted(word=word, flow=RUN_FLOW, id=record.id)


@operation("runs.retry", role="operator")
async def retry(admin: Admin, id: str) -> Acted:
    """Let a run that has failed or was cancelled go on: steps that are done stay, those that failed run again.

    Args:
        id: Of the run.

    Raises:
        JobGone: there is none of this id.
        StateError: it has not failed and was not cancelled.
    """
    host = await run_host(admin)
    record = await host.found(id)
    word = await host.control_of(record.workflow).retry_job(RUN_FLOW, record.id)
    if word == "gone":
        raise JobGone(id, what="run")
    if word != "retried":
        raise StateError(record.id, word, "retried", what="run")
    return Acted(word=word, flow=RUN_FLOW, id=record.id)


@operation("runs.fork", role="operator")
async def fork(admin: Admin, id: str, step: str = "", input: Any = None) -> RunStarted:
    """Start a new run that has what another one had done before a step, and goes on from there.

    Args:
        id: Of the other run, which stays as it is.
        step: The step's name; without one, the new run begins anew.
        input: Another input; without one, that of the other run.

    Raises:
        JobGone: there is none of this id.
        ValidationError: the run has no such step yet.
    """
    host = await run_host(admin)
    record = await host.found(id)
    made = await fork_run(host, record.id, check_step_name(step) if step else "", input)
    return RunStarted(word="forked" if step else "restarted", id=made)


@operation("runs.provide", role="operator")
async def provide(admin: Admin, id: str, step: str, data: Any) -> Acted:
    """Answer a step of a run that waits for a person's answer; the step judges whether it fits.

    Args:
        id: Of the run.
        step: The step's name.
        data: The answer, plain JSON.

    Raises:
        JobGone: there is none of this id.
        ValidationError: no step may have such a name.
    """
    host = await run_host(admin)
    record = await host.found(id)
    goes_on = await (await host.runs()).provide(record.id, check_step_name(step), encode_untyped("the answer", data))
    return Acted(word="goes on" if goes_on else "kept", flow=RUN_FLOW, id=record.id)


@operation("runs.move", role="operator")
async def move(admin: Admin, workflow: str, *, version: str | None = None, to: str | None = None) -> Acted:
    """Let runs that stay with a version of their workflow's code go on with another one.

    Args:
        workflow: Its name.
        version: That of the runs; without one, of those that stay with none.
        to: That of the workers; without one, of a release that does not pin.

    Raises:
        ValidationError: the versions are the same, or no process ever had the other one.
    """
    host = await run_host(admin)
    host.check_seen(workflow)
    moved = await move_runs(host, workflow, version, to)
    return Acted(word=f"{moved} moved", flow=RUN_FLOW, queue=workflow)
