"""The schedules that `define(cron=…)` declares, checked there, as they are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from flows.errors import DeclarationError, ValidationError
from flows.model.limits.slots import Slots
from flows.model.runs.schedule_definition import ScheduleDefinition
from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every
from flows.workflow.new_runs import new_run

if TYPE_CHECKING:
    from flows.workflow.declared import Declared

#: The schedules of an app.
_MOST: Final = 1_000


def definition_of(
    schedule: Cron | Every, workflow: Declared | str, given: object, schedule_id: str, call: str
) -> ScheduleDefinition:
    """Return a schedule as it is recorded.

    Args:
        schedule: Its times and policies.
        workflow: Of which it starts runs.
        given: Their input.
        schedule_id: Its id.
        call: What was called, for an error's text.

    Raises:
        ValidationError: the input is not of the workflow's type.
    """
    run = new_run(workflow, given, {}, call)
    return ScheduleDefinition(schedule_id, schedule, run, 0 if isinstance(workflow, str) else _most(workflow))


def schedules_of(workflow: Declared) -> list[ScheduleDefinition]:
    """Return the schedules that a workflow declares by `cron=`.

    Raises:
        DeclarationError: one is no Cron and no Every, two have the same id or none, or an input is not of the
            workflow's type.
    """
    where = f"workflow {workflow.name!r}"
    given: object = workflow.options.cron
    found: dict[str, ScheduleDefinition] = {}
    for one in _several(where, given):
        if not isinstance(one, (Cron, Every)):
            raise DeclarationError(f"{where}: cron={one!r:.80}: give a Cron(…) or an Every(…)")
        schedule_id = one.id or workflow.name
        if schedule_id in found:
            raise DeclarationError(f"{where}: two of its schedules have the id {schedule_id!r}: give each an id=")
        try:
            found[schedule_id] = definition_of(one, workflow, one.input, schedule_id, "cron")
        except ValidationError as error:
            raise DeclarationError(f"{where}: the input of its schedule {schedule_id!r}: {error}") from error
    return list(found.values())


def _several(where: str, given: object) -> Sequence[object]:
    if isinstance(given, (Cron, Every)):
        return (given,)
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise DeclarationError(f"{where}: cron={given!r:.80}: give a Cron(…), an Every(…) or a list of these")
    return given  # pyright: ignore[reportUnknownVariableType]


def _most(workflow: Declared) -> int:
    """Return how many runs may be worked on at a time; 0: any number."""
    most = workflow.options.max_concurrency
    if most is None or workflow.options.slots == "open":
        return 0
    return most.most if isinstance(most, Slots) else most


def check_schedules(definitions: Sequence[ScheduleDefinition]) -> None:
    """Check that the schedules of an app go together.

    Raises:
        DeclarationError: two workflows have schedules of the same id, or there are more than 1,000.
    """
    workflows: dict[str, str] = {}
    for one in definitions:
        other = workflows.setdefault(one.id, one.run.workflow)
        if other != one.run.workflow:
            raise DeclarationError(
                f"workflows {other!r} and {one.run.workflow!r} have a schedule {one.id!r} each: give them other ids"
            )
    if len(workflows) > _MOST:
        raise DeclarationError(
            f"the app declares {len(workflows):,} schedules: declare at most {_MOST:,}, and create others by "
            "workflows.schedules.create"
        )
