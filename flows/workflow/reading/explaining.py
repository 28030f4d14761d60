"""Says why a run is where it is: as of a job, and of a suspended run what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.kernel.limits.limit_facts import with_limits
from flows.model.explain.explanation import Explanation
from flows.model.explain.reasons import explain
from flows.store.rules.read_limits import limits_of_job
from flows.store.views.explain import situation

if TYPE_CHECKING:
    from flows.model.runs.run_record import RunRecord, RunStep
    from flows.workflow.host import Host
    from flows.workflow.reading.run_reader import RunReader

#: What a step of each kind waits for.
_FOR: Final = {
    "sleep": "a time",
    "event": "an event",
    "input": "an answer",
    "workflow": "another run",
    "map": "other runs",
    "run": "its next try",
}
#: So many steps are named.
_NAMED: Final = 5


async def explain_run(host: Host, reader: RunReader[Any], run_id: str) -> Explanation:
    """Return why a run is where it is.

    Raises:
        StoreError: the server cannot be used.
    """
    session = await host.open()
    record = await reader.record(run_id)
    if record is not None and record.status == "suspended":
        return _suspended(record)
    found = await situation(session.connection, session.settings, {}, run_id)
    if found.kind == "hash" and found.due and found.queue in session.settings.rules:
        found = with_limits(found, await limits_of_job(session.connection, session.settings, found.queue, run_id))
    return explain(found)


def _suspended(record: RunRecord[Any]) -> Explanation:
    waiting = [step for step in record.steps if step.status == "waiting"]
    named = ", ".join(map(_told, waiting[:_NAMED])) or "nothing that is recorded"
    more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    times = [step.until for step in waiting if step.until is not None]
    until = f"; at {min(times).isoformat()} at the latest it goes on" if times else ""
    return Explanation(
        f"it is suspended in {record.queue!r}, and waits without a worker for {named}{more}{until}",
        "suspended",
        {
            "status": "suspended",
            "queue": record.queue,
            "waits_for": [step.name for step in waiting],
            "until": min(times).isoformat() if times else None,
        },
    )


def _told(step: RunStep) -> str:
    until = "" if step.until is None else f" until {step.until.isoformat()}"
    prompt = f" ({step.prompt})" if step.prompt else ""
    refused = f"; the last one was refused: {step.refused}" if step.refused else ""
    return f"{_FOR.get(step.kind, 'something')} in step {step.name!r}{prompt}{until}{refused}"
