"""What listeners are told of attempts: those that the store has recorded, by how they were recorded."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from flows import FlowOptions, Job, JobError, QueueOptions
from flows.model.outcome import Advance, Fail, Finish, Outcome, Release, Retry
from flows.telemetry.events import Events
from flows.telemetry.measured import Measured
from flows.telemetry.outcome_events import OutcomeEvents

OPTIONS: Any = FlowOptions("shop", [QueueOptions("price", job=Job)])


@dataclass
class Claimed:
    """A job that was claimed."""

    id: str = "1"
    attempt: int = 1
    rescues: int = 0
    waited: int = 1500
    seconds: float | None = 0.5


@dataclass
class Recorded:
    """An attempt that has ended."""

    outcome: Outcome
    claimed: Claimed = field(default_factory=Claimed)


def told(*ended: tuple[Outcome, str]) -> list[Measured]:
    """Return what a listener hears of attempts with these answers of the store."""
    events, heard = Events(logging.getLogger("flows.quiet")), list[Measured]()
    emitter = OutcomeEvents(OPTIONS, events)
    emitter.emit("price", [Recorded(outcome) for outcome, _word in ended], [word for _outcome, word in ended])
    assert heard == []
    stop = events.attempts.listen(heard.append)
    emitter.emit("price", [Recorded(outcome) for outcome, _word in ended], [word for _outcome, word in ended])
    stop()
    stop()
    emitter.emit("price", [Recorded(Finish({}))], ["ok"])
    return heard


def test_each_outcome_is_told_by_its_count() -> None:
    """By the word of the queue's counts, with the class of its error, while somebody listens and no longer."""
    error = JobError(type="KeyError", message="no", queue="price", attempt=1)
    outcomes: list[Outcome] = [Finish({}), Advance("ship", {}), Retry(5, error), Fail(error), Release()]
    heard = told(*((outcome, "ok") for outcome in outcomes))
    assert [(one.outcome, one.error) for one in heard] == [
        ("done", None),
        ("advance", None),
        ("retry", "KeyError"),
        ("failed", "KeyError"),
        ("release", None),
    ]
    assert {(one.flow, one.queue, one.waited, one.ran) for one in heard} == {("shop", "price", 1.5, 0.5)}


def test_what_was_not_recorded_is_not_told() -> None:
    """An attempt whose lease was lost counts nowhere; one whose job was cancelled meanwhile ended so."""
    heard = told((Finish({}), "stale"), (Finish({}), "gone"), (Finish({}), "cancelled"))
    assert [one.outcome for one in heard] == ["cancelled"]
