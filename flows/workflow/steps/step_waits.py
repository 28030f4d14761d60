"""The steps that wait: for a time, for an event, for the answer of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.errors import MalformedJob, ValidationError
from flows.model.outcome import EventWait
from flows.model.runs.input_wait import input_wait
from flows.model.runs.step_record import StepRecord

if TYPE_CHECKING:
    from flows.model.runs.shape import Shape
    from flows.model.runs.step_record import StepKind
    from flows.workflow.steps.step_host import StepHost


class StepWaits:
    """The waiting steps of one attempt."""

    def __init__(self, host: StepHost) -> None:
        self._replay = host.replay
        self._run_id = host.run_id
        #: Which entry of an event's stream the run has taken last, by the event's name and key.
        self._taken: dict[tuple[str, str], str] = {}

    async def sleep(self, name: str, until_ms: int | None, for_ms: int) -> None:
        """Return at a time of the server's clock, or so long after the step was first asked for."""
        replay = self._replay
        record = replay.ask(name, "sleep")
        if record is not None and record.status == "done":
            await replay.give(record.place)
            return
        record = await replay.begin(name, "sleep", record)
        if record is None:
            now = replay.now_ms()
            record = StepRecord("waiting", "sleep", at=now, until=now + for_ms if until_ms is None else until_ms)
            replay.note(name, record)
        await replay.wait(name, record)
        replay.note(name, StepRecord("done", "sleep", replay.late(name), at=record.at, until=record.until))

    async def event(  # noqa: PLR0917 - what was asked for
        self, name: str, event: str, key: str, shape: Shape[Any], since_ms: int, timeout_ms: int | None
    ) -> Any:
        """Return what was sent; None when the time is over.

        Raises:
            ValidationError: what was sent is not of the event's type.
        """
        replay = self._replay
        record = replay.ask(name, "event")
        if record is not None and record.status == "done":
            await replay.give(record.place)
            return self._took(record, event, key, shape)
        record = await replay.begin(name, "event", record)
        if record is None:
            more = {"event": event, "key": key, "after": self._taken.get((event, key), ""), "since": since_ms}
            record = self._waiting("event", timeout_ms, more)
            replay.note(name, record)
        wait = EventWait(name, str(record.more["event"]), str(record.more["key"]), str(record.more["after"]), since_ms)
        settled = await replay.wait(name, record, wait)
        if settled is None:
            self._over(name, record)
            return None
        return self._took(settled, event, key, shape)

    async def input(self, name: str, shape: Shape[Any], prompt: str, timeout_ms: int | None) -> Any:
        """Return what a person has answered; None when the time is over. What is of another type is waited for anew."""
        replay = self._replay
        record = replay.ask(name, "input")
        waiting = self._waiting("input", timeout_ms, {"prompt": prompt, "schema": shape.schema})
        if record is not None and record.status == "done":
            await replay.give(record.place)
        else:
            record = await replay.begin(name, "input", record)
            if record is None:
                replay.note(name, waiting)
            waiting = record or waiting
            record = await replay.wait(name, waiting, input_wait(self._run_id, name))
        while record is not None and not record.more.get("timeout"):
            try:
                return shape.decode(record.result or b"null")
            except ValidationError as error:
                waiting.more = {**waiting.more, "refused": str(error)}
                replay.note(name, waiting)
                record = await replay.wait(name, waiting, input_wait(self._run_id, name))
        if record is None:
            self._over(name, waiting)
        return None

    def _waiting(self, kind: StepKind, timeout_ms: int | None, more: dict[str, Any]) -> StepRecord:
        now = self._replay.now_ms()
        return StepRecord("waiting", kind, at=now, until=None if timeout_ms is None else now + timeout_ms, more=more)

    def _over(self, name: str, waiting: StepRecord) -> None:
        """Write down that the time of a step is over."""
        place = self._replay.late(name)
        self._replay.note(
            name, StepRecord("done", waiting.kind, place, at=waiting.at, more={"timeout": True}, result=b"null")
        )

    def _took(self, record: StepRecord, event: str, key: str, shape: Shape[Any]) -> Any:
        if record.more.get("timeout"):
            return None
        entry = record.more.get("entry")
        if isinstance(entry, str):
            self._taken[event, key] = entry
        if record.result is None:
            raise MalformedJob(f"what was sent as event {event!r} cannot be read")
        return shape.decode(record.result)
