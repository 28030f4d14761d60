"""Makes what is answered of runs from their records, without what is hidden from the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.api.reading.hiding import HIDDEN, Hiding, Secrets
from flows.api.reading.rows import attempt_views, error_view, visit_views
from flows.api.views.runs import RunRow, RunView, StepView
from flows.errors import FlowsError
from flows.model.runs.new_run import RUN_FLOW

if TYPE_CHECKING:
    from flows.api.caller import Caller
    from flows.model.runs.run_record import RunRecord, RunStep

#: What hides the whole of it.
_INPUT: Final = "input"
_OUTPUT: Final = "output"


def run_row(caller: Caller, record: RunRecord[Any]) -> RunRow:
    """Return a run as a row of a list."""
    _hiding, secrets = _hidden(caller, record)
    return _row(secrets, record)


def run_view(caller: Caller, record: RunRecord[Any]) -> RunView:
    """Return a run with all that is recorded of it."""
    hiding, secrets = _hidden(caller, record)
    try:
        output = record.output
    except FlowsError:  # it is not done
        output = None
    return RunView(
        **dict(_row(secrets, record)),
        input=_shown(hiding, secrets, _INPUT, record.input),
        output=_shown(hiding, secrets, _OUTPUT, output),
        error=error_view(hiding, secrets, record.error),
        reason=secrets.out_of(record.reason),
        steps=[_step(hiding, secrets, step) for step in record.steps],
        path=visit_views(record.job),
        history=attempt_views(hiding, secrets, record.job),
        slot=record.slot,
        forked_from=record.forked_from,
        correlation_id=secrets.out_of(record.correlation_id),
    )


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


def _row(secrets: Secrets, record: RunRecord[Any]) -> RunRow:
    value, message = record.progress or (None, "")
    return RunRow(
        id=record.id,
        workflow=record.workflow,
        status=record.status,
        queue=record.queue,
        created=record.created_at,
        since=record.since,
        attempts=record.attempts,
        tags=secrets.out_of(record.tags),
        error_type=None if record.error is None else record.error.type,
        progress=value,
        message=secrets.out_of(message),
        schedule=record.schedule,
        version=record.version,
    )


def _step(hiding: Hiding, secrets: Secrets, step: RunStep) -> StepView:
    message = None if step.error is None else HIDDEN if hiding.errors else secrets.out_of(step.error.message)
    return StepView(
        name=step.name,
        kind=step.kind,
        status=step.status,
        began=step.began_at,
        took=step.took.total_seconds(),
        tries=step.tries,
        until=step.until,
        result=_shown(hiding, secrets, _OUTPUT, step.result),
        error_type=None if step.error is None else step.error.type,
        error_message=message,
        prompt=secrets.out_of(step.prompt),
        refused=secrets.out_of(step.refused),
    )


def _shown(hiding: Hiding, secrets: Secrets, name: str, value: Any) -> Any:
    return secrets.out_of(hiding.pruned(value)) if hiding.allows(name) else HIDDEN if value is not None else None
