"""Operations on the steps of one run: `runs.steps`, `runs.children`, `runs.send`."""

from __future__ import annotations

from secrets import token_hex
from typing import Annotated, Any, Final

from pydantic import Field
from pydantic_core import from_json

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.run_host import RunHost, run_host
from flows.api.reading.run_rows import step_views
from flows.api.reading.shortening import shortened
from flows.api.views.runs import StepChildrenView, StepChildView, StepsView
from flows.api.views.view import Acted
from flows.errors import StateError, ValidationError
from flows.model.creation.keys import time_in_ms
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.run_record import STEP, RunRecord, RunStep
from flows.model.runs.shape import encode_untyped
from flows.model.runs.step_record import PARENTS, check_step_name
from flows.workflow.event import DEFAULT_TTL

_TTL_MS: Final = time_in_ms("ttl", DEFAULT_TTL)


@operation("runs.steps")
async def steps(
    admin: Admin,
    id: str,
    *,
    start: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 200,
) -> StepsView:
    """List steps of a run, in the order of `runs.show`.

    Args:
        id: Of the run.
        start: The first one's place, from 0.
        limit: So many at most.

    Raises:
        JobGone: there is none of this id.
    """
    host = await run_host(admin)
    record = await host.found(id)
    views = step_views(admin.caller, record, await host.ended_of(record))
    return shortened(StepsView(steps=views[start : start + limit], total=len(views)))


@operation("runs.children")
async def children(
    admin: Admin,
    id: str,
    step: str,
    *,
    start: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
) -> StepChildrenView:
    """List the runs that a step has started, in their order: what has become of each.

    Args:
        id: Of the run.
        step: The step's name: one that waits, or has waited, for runs.
        start: The first one's place, from 0.
        limit: So many at most.

    Raises:
        JobGone: there is no run of this id.
        ValidationError: it has no such step, or one that has started no runs.
    """
    host = await run_host(admin)
    record = await host.found(id, f"{STEP}{check_step_name(step)}")
    found = _step(record, step)
    if found.kind not in PARENTS:
        raise ValidationError(f"step {step!r} of run {record.id} has started no runs: it is of kind {found.kind!r}")
    total = int(found.more.get("total", 1))
    count = max(0, min(limit, total - start))
    ended = total if found.status != "waiting" else (await host.ended_of(record)).get(step, 0)
    listed = await _children(host, record.id, found, start, count) if count else []
    return StepChildrenView(children=listed, total=total, ended=ended)


@operation("runs.send", role="operator")
async def send(admin: Admin, id: str, step: str, data: Any) -> Acted:
    """Send the event for which a step of a run waits: all runs go on that wait for it by the same key.

    Args:
        id: Of the run.
        step: The step's name.
        data: What the event carries, plain JSON; the step judges whether it fits.

    Raises:
        JobGone: there is none of this id.
        ValidationError: it has no such step, or one that waits for no event.
        StateError: the step has got its event.
    """
    host = await run_host(admin)
    record = await host.found(id, f"{STEP}{check_step_name(step)}")
    found = _step(record, step)
    event, key = found.more.get("event"), found.more.get("key")
    if found.status != "waiting":
        raise StateError(record.id, f"over step {step!r}", "sent an event for it", what="run")
    if not isinstance(event, str) or not isinstance(key, str):
        raise ValidationError(f"step {step!r} of run {record.id} waits for no event: it is of kind {found.kind!r}")
    text = encode_untyped("the event", data)
    settled = await (await host.runs()).send_event(event, key, text, token_hex(8), _TTL_MS)
    return Acted(word="goes on" if settled else "kept", flow=RUN_FLOW, id=record.id)


def _step(record: RunRecord[Any], name: str) -> RunStep:
    found = next((one for one in record.steps if one.name == name), None)
    if found is None:
        raise ValidationError(f"run {record.id} has no step {name!r:.80}: `runs.steps` has all of them")
    return found


async def _children(host: RunHost, run_id: str, step: RunStep, start: int, count: int) -> list[StepChildView]:
    """Return how children of a step stand, each as its record says, or as it has ended."""
    inline: Any = step.result
    if isinstance(inline, list):
        results: list[Any] = inline[start : start + count]  # pyright: ignore[reportUnknownVariableType]
    else:
        raw = await (await host.runs()).loader.children_now(run_id, step.name, start, count)
        results = [from_json(one) if one.startswith(b"{") else {"id": one.decode()} for one in raw]
    ids = [str(one.get("id", "")) for one in results]
    records = iter(await host.row_reader.records([one for one in ids if one]))
    views: list[StepChildView] = []
    for index, (told, child_id) in enumerate(zip(results, ids, strict=True), start):
        record = next(records) if child_id else None
        seen = record is not None and host.sees(record.workflow)
        views.append(
            StepChildView(
                index=index,
                id=child_id,
                status=record.status if record is not None and seen else str(told.get("status", "deleted")),
                error_type=None if record is None or record.error is None or not seen else record.error.type,
                since=record.since if record is not None and seen else None,
                attempts=record.attempts if record is not None and seen else 0,
            )
        )
    return views
