"""Operations that look at runs: `runs.list`, `runs.workflows`, `runs.show`, `runs.explain`, `runs.wait`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import HIDDEN, Hiding
from flows.api.reading.run_host import run_host
from flows.api.reading.run_rows import run_row, run_view
from flows.api.reading.shortening import shortened
from flows.api.views.jobs import ExplanationView
from flows.api.views.runs import RunPageView, RunView, WorkflowView
from flows.api.views.time import Time
from flows.errors import JobGone, ValidationError, WaitTimeout
from flows.model.explain.reasons import REASONS
from flows.model.names import check_job_id
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.run_record import RunStatus
from flows.model.state import TERMINAL
from flows.workflow.reading.explaining import explain_run
from flows.workflow.reading.run_lists import RunLists

_REMEDIES: Final = {reason.name: reason.remedy for reason in REASONS}
_FIRST: Final = 0.02
_LONGEST: Final = 1.0


@operation("runs.list")
async def list_runs(
    admin: Admin,
    *,
    workflow: str | None = None,
    status: list[RunStatus] | None = None,
    tag: str | None = None,
    lookup: Mapping[str, str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
) -> RunPageView:
    """List runs of all apps, newest first.

    Args:
        workflow: Only of this workflow.
        status: Only with one of these.
        tag: Only with this tag.
        lookup: Only those whose input has these values, of fields that the workflow declares as lookups.
        since: Only those that were started then or later: an instant with a time zone.
        until: Only those that were started before.
        cursor: Where to go on: what the page before had.
        limit: So many at most.

    Raises:
        ValidationError: the cursor is none, or an argument cannot be used.
        Forbidden: a lookup is hidden from the caller, or the workflow is of none of its apps.
    """
    host = await run_host(admin)
    if workflow is not None:
        host.check_seen(workflow)
    hiding = Hiding(admin.caller, RUN_FLOW)
    for name in lookup or {}:
        hiding.check_search(name)
    lists = RunLists(host, host.row_reader)
    page = await lists.page(workflow, status, tag, lookup or {}, since, until, limit, cursor)
    rows = [run_row(admin.caller, one) for one in page.runs if host.sees(one.workflow)]
    return shortened(RunPageView(runs=rows, cursor=page.cursor))


@operation("runs.workflows")
async def workflows(admin: Admin) -> list[WorkflowView]:
    """List the workflows of all apps, and what their runs do now: those that were dropped included."""
    host = await run_host(admin)
    schemas: dict[str, Any] = {}
    for one in host.workflows:
        declared: dict[str, Any] = one.declared.get("input") or {}
        schemas.setdefault(one.name, declared.get("schema"))
    found = await RunLists(host, host.reader).stats()
    return [
        WorkflowView(
            workflow=name,
            apps=list(one.apps),
            live=one.live,
            seen=one.last_seen,
            waiting=one.waiting,
            processing=one.processing,
            delayed=one.delayed,
            failed=one.failed,
            cancelled=one.cancelled,
            counts=dict(one.counts),
            by_queue=dict(one.by_queue),
            input_schema=schemas.get(name),
        )
        for name, one in found.items()
        if host.sees(name)
    ]


@operation("runs.show")
async def show(admin: Admin, id: str, *, whole: bool = False) -> RunView:
    """Show a run: its status, input, output, error and steps.

    Args:
        id: Of the run.
        whole: Whether long texts and values are shown in full.

    Raises:
        JobGone: there is none of this id.
    """
    host = await run_host(admin)
    record = await host.found(id)
    return shortened(run_view(admin.caller, record, await host.ended_of(record)), whole=whole)


@operation("runs.explain")
async def explain(admin: Admin, id: str) -> ExplanationView:
    """Say why a run is where it is; of a suspended one, what it waits for.

    Args:
        id: Of the run.

    Raises:
        JobGone: there is none of this id.
    """
    host = await run_host(admin)
    record = await host.found(id)
    said = await explain_run(host, host.reader, record.id)
    # What it says may quote errors, prompts and answers: who sees no errors, or not all fields, gets the reason alone.
    hidden = bool(Hiding(admin.caller, RUN_FLOW).names)
    view = ExplanationView(
        id=record.id,
        flow=RUN_FLOW,
        sentence=HIDDEN if hidden else said.sentence,
        reason=said.reason,
        remedy=_REMEDIES.get(said.reason, ""),
        facts={} if hidden else dict(said.facts),
    )
    return shortened(view)


@operation("runs.wait")
async def wait(admin: Admin, id: str, timeout: Time = timedelta(seconds=30)) -> RunView:
    """Wait until a run has ended, and show it.

    Args:
        id: Of the run.
        timeout: For how long, an hour at most.

    Raises:
        JobGone: it has expired or was deleted.
        WaitTimeout: it has not ended in time.
    """
    if not timedelta(0) < timeout <= timedelta(hours=1):
        raise ValidationError("timeout: give a time of up to an hour")
    host = await run_host(admin)
    await host.found(id)
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + timeout.total_seconds(), _FIRST
    while (state := await host.reader.state(check_job_id(id))) not in TERMINAL:
        left = deadline - loop.time()
        if state is None:
            raise JobGone(id, what="run")
        if left <= 0:
            raise WaitTimeout(f"run {id} is still {state} after {timeout.total_seconds():g} s")
        await asyncio.sleep(min(left, pause))
        pause = min(_LONGEST, pause * 2)
    return await show(admin, id)
