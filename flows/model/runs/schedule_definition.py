"""What a schedule is: its times, its policies and the run that it starts; written to a hash and read back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob
from flows.model.ids import new_job_id
from flows.model.retention import Retention
from flows.model.runs.new_run import NewRun
from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.schedules.policies import Missed, Overlap

#: On a run's hash `<slot in ms> <schedule>`; `-` where it was triggered by hand.
SCHEDULE_FIELD: Final = "_schedule"
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class ScheduleDefinition:
    """A schedule that can be recorded, and whose runs can be started.

    Attributes:
        id: Its id.
        schedule: Its times and policies; their input and id do not count here.
        run: What each of its runs is started with, but for the id.
        most: How many runs of the workflow may be worked on at a time; 0: any number.
    """

    id: str
    schedule: Cron | Every
    run: NewRun
    most: int = 0

    def run_of(self, slot: int) -> NewRun:
        """Return the run of a slot, in milliseconds; its id is of now."""
        return self._run(str(slot))

    def run_now(self) -> NewRun:
        """Return a run of no slot."""
        return self._run("-")

    def _run(self, slot: str) -> NewRun:
        about = (SCHEDULE_FIELD, f"{slot} {self.id}".encode())
        return replace(self.run, id=new_job_id(), fields=(*self.run.fields, about))

    def fields(self) -> dict[str, bytes]:
        """Return the fields of its hash; `digest` names all others."""
        schedule = self.schedule
        fields = {
            "when": _write_when(schedule),
            "overlap": schedule.overlap.encode(),
            "missed": schedule.missed.encode(),
            "workflow": self.run.workflow.encode(),
            "input": self.run.input,
            "run": _write_run(self.run),
            "most": str(self.most).encode(),
        }
        return {**fields, "digest": hashlib.sha256(to_json(list(fields.values()))).hexdigest()[:32].encode()}


def read_definition(schedule_id: str, fields: Mapping[str, bytes]) -> ScheduleDefinition:
    """Return the schedule that a hash holds.

    Raises:
        MalformedJob: the hash holds nothing that flows has written.
        MissingExtra: it goes by a cron expression, and the extra `cron` is not installed.
        DeclarationError: this release or machine cannot reckon its times, such as those of an unknown time zone.
    """
    try:
        overlap: Any = fields["overlap"].decode()
        missed: Any = fields["missed"].decode()
        when: dict[str, Any] = from_json(fields["when"])
        run = _read_run(from_json(fields["run"]), fields["workflow"].decode(), fields["input"])
        most = int(fields["most"])
        every, cron, timezone = when.get("every_ms"), when.get("cron"), when.get("timezone")
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise MalformedJob(f"schedule {schedule_id!r} cannot be read: {error!r}") from error
    return ScheduleDefinition(schedule_id, _times(every, cron, timezone, overlap, missed), run, most)


def _times(every: Any, cron: Any, timezone: Any, overlap: Overlap, missed: Missed) -> Cron | Every:
    if every is not None:
        return Every(every * _MS, overlap=overlap, missed=missed)
    return Cron(cron, timezone=timezone, overlap=overlap, missed=missed)


def _write_when(schedule: Cron | Every) -> bytes:
    if isinstance(schedule, Every):
        return to_json({"every_ms": schedule.interval // _MS})
    return to_json({"cron": schedule.expression, "timezone": schedule.timezone})


def _write_run(run: NewRun) -> bytes:
    kept = run.retention
    return to_json(
        {
            "queue": run.queue,
            "priority": run.priority,
            "lookups": run.lookups,
            "correlation_id": run.correlation_id,
            "version": run.version,
            "undo": run.undo,
            "retention": None if kept is None else [kept.done // _MS, kept.failed // _MS, kept.cancelled // _MS],
            "fields": run.fields,
        }
    )


def _read_run(about: dict[str, Any], workflow: str, data: bytes) -> NewRun:
    kept = about["retention"]
    correlation_id = about["correlation_id"]
    return NewRun(
        "",
        workflow,
        about["queue"],
        data,
        priority=about["priority"],
        lookups=tuple((name, text) for name, text in about["lookups"]),
        correlation_id=None if correlation_id is None else correlation_id.encode(),
        version=about["version"],
        undo=about["undo"],
        retention=None if kept is None else Retention(*(number * _MS for number in kept)),
        fields=tuple((name, text.encode()) for name, text in about["fields"]),
    )
