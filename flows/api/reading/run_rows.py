"""Makes what is answered of runs from their records, without what is hidden from the caller."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from flows.api.reading.hiding import HIDDEN, Hiding, Secrets
from flows.api.reading.rows import attempt_views, error_view, visit_views
from flows.api.reading.shortening import MOST_PARTS
from flows.api.views.runs import PastVisitView, RunRow, RunView, StepTryView, StepView
from flows.errors import FlowsError
from flows.model.live.job_progress import job_progress
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.run_record import RunStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.api.caller import Caller
    from flows.model.runs.past_visits import PastVisit
    from flows.model.runs.run_record import RunRecord

#: What hides the whole of it.
_INPUT: Final = "input"
_OUTPUT: Final = "output"


def run_row(caller: Caller, record: RunRecord[Any]) -> RunRow:
    """Return a run as a row of a list."""
    hiding, secrets = _hidden(caller, record)
    return _row(hiding, secrets, record)


def run_view(caller: Caller, record: RunRecord[Any], ended: Mapping[str, int]) -> RunView:
    """Return a run with all that is recorded of it.

    Args:
        caller: Who asks.
        record: The run.
        ended: How many of the runs have ended for which its steps wait, by their names.
    """
    hiding, secrets = _hidden(caller, record)
    steps = record.steps
    try:
        output = record.output
    except FlowsError:  # it is not done
        output = None
    row = _row(hiding, secrets, record)
    views = [_step(hiding, secrets, step, ended.get(step.name)) for step in steps[-MOST_PARTS:]]
    return RunView(
        **dict(row),
        overall=job_progress(row.status, row.progress, _settled(views) if row.progress is None else None),
        input=_shown(hiding, secrets, _INPUT, record.input),
        output=_shown(hiding, secrets, _OUTPUT, output),
        error=error_view(hiding, secrets, record.error),
        reason=secrets.out_of(record.reason),
        steps=views,
        steps_before=max(0, len(steps) - MOST_PARTS),
        past=[_past(hiding, secrets, visit) for visit in record.past],
        deadline=record.deadline,
        path=visit_views(record.job),
        history=attempt_views(hiding, secrets, record.job),
        slot=record.slot,
        forked_from=record.forked_from,
        correlation_id=secrets.out_of(record.correlation_id),
    )


def _settled(steps: Sequence[StepView]) -> float | None:
    """Return which part of the runs have ended that a run has started; None: it has started none."""
    total = sum(step.total or 0 for step in steps)
    return sum(step.ended or 0 for step in steps if step.total) / total if total else None


def step_views(caller: Caller, record: RunRecord[Any], ended: Mapping[str, int]) -> list[StepView]:
    """Return all steps of a run, as `run_view` has the last ones."""
    hiding, secrets = _hidden(caller, record)
    return [_step(hiding, secrets, step, ended.get(step.name)) for step in record.steps]


def shown_input(caller: Caller, value: Any) -> Any:
    """Return the input of a schedule's runs, without what is hidden."""
    hiding = Hiding(caller, RUN_FLOW)
    return _shown(hiding, Secrets(hiding.nested(value)), _INPUT, value)


def _hidden(caller: Caller, record: RunRecord[Any]) -> tuple[Hiding, Secrets]:
    hiding = Hiding(caller, RUN_FLOW)
    if not hiding.names:
        return hiding, Secrets()
    values: list[Any] = [record.input, *(step.result for step in record.steps)]
    texts = [text for value in values for text in hiding.nested(value)]
    if not hiding.allows(_INPUT):
        texts += hiding.leaves(record.input)
    return hiding, Secrets(texts)


def _row(hiding: Hiding, secrets: Secrets, record: RunRecord[Any]) -> RunRow:
    value, message = record.progress or (None, "")
    return RunRow(
        id=record.id,
        workflow=record.workflow,
        status=record.status,
        awaits=record.awaits,
        queue=record.queue,
        created=record.created_at,
        since=record.since,
        attempts=record.attempts,
        tags=secrets.out_of(record.tags),
        lookups=secrets.out_of({name: text for name, text in record.lookups.items() if hiding.allows(name)}),
        error_type=None if record.error is None else record.error.type,
        progress=value,
        message=secrets.out_of(message),
        schedule=record.schedule,
        version=record.version,
    )


def _step(hiding: Hiding, secrets: Secrets, step: RunStep, ended: int | None = None) -> StepView:
    message = None if step.error is None else HIDDEN if hiding.errors else secrets.out_of(step.error.message)
    total: Any = step.more.get("total")
    schema: dict[str, Any] | None = cast("Any", step.more.get("schema"))
    if isinstance(total, int) and ended is None and step.status == "done":
        ended = total
    return StepView(
        name=step.name,
        kind=step.kind,
        status=step.status,
        began=step.began_at,
        took=step.took.total_seconds(),
        tries=step.tries,
        tried=[StepTryView(began=_time(one.at), took=one.ms / 1000, error_type=one.error) for one in step.tried],
        undo=step.undo,
        until=step.until,
        result=_shown(hiding, secrets, _OUTPUT, step.result),
        error_type=None if step.error is None else step.error.type,
        error_message=message,
        prompt=secrets.out_of(step.prompt),
        refused=secrets.out_of(step.refused),
        answer_schema=schema if isinstance(schema, dict) else None,
        event=_text(step.more.get("event")),
        key=secrets.out_of(_text(step.more.get("key"))),
        workflow=_text(step.more.get("workflow")),
        total=total if isinstance(total, int) else None,
        ended=ended,
    )


def _past(hiding: Hiding, secrets: Secrets, visit: PastVisit) -> PastVisitView:
    return PastVisitView(
        ended=_time(visit.ended),
        next=_time(visit.next),
        status=visit.how,
        error_type=visit.error or None,
        steps=[_step(hiding, secrets, RunStep.of(name, record)) for name, record in visit.steps.items()],
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _shown(hiding: Hiding, secrets: Secrets, name: str, value: Any) -> Any:
    return secrets.out_of(hiding.pruned(value)) if hiding.allows(name) else HIDDEN if value is not None else None
