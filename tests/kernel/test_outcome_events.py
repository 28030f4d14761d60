"""The events of attempts: what became of each, what was tried how often, and nothing that nobody wants."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from flows import Cancel, Event, Fail, Flow, Retries, Retry, Snooze
from flows.telemetry.events import Events
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard

NOW = timedelta(0)
SOON = Retries(max_attempts=3, backoff=timedelta(milliseconds=5))


async def told_of(flow: Flow[Work, Given]) -> list[Event]:
    """Run one job to its end, and return the events that are about it."""
    events = heard(flow)
    async with flow:
        job_id = await flow.create_job(Given(number=1))
        await flow.wait_for(job_id, LONG)
    return [event for event in events if event.fields.get("job_id") == job_id]


def raising(error: Callable[[Work], BaseException | None]) -> Callable[[Work], Any]:
    """Return a function that raises what is made for each attempt, and returns where nothing is."""

    async def function(job: Work) -> Answer:
        if raised := error(job):
            raise raised
        return await double(job)

    return function


async def test_failures_are_told(make_flow: MakeFlow) -> None:
    """Each retry says which attempt it was of how many and when the next comes; the failure has the traceback."""
    events = await told_of(make_flow(raising(lambda _job: KeyError("missing")), retries=SOON))
    names = ["job.retried", "job.retried", "job.failed"]
    assert [event.name for event in events] == names
    assert [(event.fields["attempt"], event.fields["of"]) for event in events] == [(1, 3), (2, 3), (3, 3)]
    assert {(event.fields["error"], event.fields["message"]) for event in events} == {("KeyError", "'missing'")}
    assert all(0 <= float(str(event.fields["after"])) <= 0.01 for event in events[:2])
    assert "KeyError: 'missing'" in str(events[2].fields["traceback"])


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (double, ["job.done"]),
        (raising(lambda _job: Fail("no")), ["job.failed"]),
        (raising(lambda _job: Cancel("no")), ["job.cancelled"]),
        (raising(lambda job: Snooze(after=NOW) if job.number and not seen(job) else None), ["job.snoozed", "job.done"]),
        (raising(lambda job: Retry("no", after=NOW) if job.attempt == 1 else None), ["job.retried", "job.done"]),
        (raising(lambda _job: ValueError("no")), ["job.failed"]),
    ],
)
async def test_each_end_is_told(make_flow: MakeFlow, function: Any, names: list[str]) -> None:
    """Whatever becomes of an attempt, one event says it; a queue without retries has one attempt, or the default's."""
    events = await told_of(make_flow(function))
    assert [event.name for event in events] == names
    counted = [(event.name, event.fields["attempt"], event.fields["of"]) for event in events if "of" in event.fields]
    assert counted in ([], [("job.failed", 1, 1)], [("job.retried", 1, 5)])


_seen: set[str] = set()


def seen(job: Work) -> bool:
    """Return whether a job was seen before."""
    if job.id in _seen:
        return True
    _seen.add(job.id)
    return False


async def test_how_long_a_function_ran_is_told(make_flow: MakeFlow) -> None:
    """`job.done` has the seconds that its function took."""

    def slow(job: Work) -> Answer:
        time.sleep(0.05)
        return Answer(answer=job.number)

    (event,) = await told_of(make_flow(slow))
    assert 0.05 <= float(str(event.fields["seconds"])) < LONG


async def test_nothing_is_made_of_jobs_that_came_through(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While nobody listens and the level is off, no event is made and no function is timed; at INFO it is a line."""
    flow, emitted = make_flow(double, logger=logging.getLogger("flows.quiet")), []
    emit = Events.emit

    def counted(self: Events, name: str, **fields: object) -> None:
        emitted.append((name, fields))
        emit(self, name, **fields)

    monkeypatch.setattr(Events, "emit", counted)
    async with flow:
        for job_id in await flow.create_jobs([Given()] * 20):
            await flow.wait_for(job_id, LONG)
        assert "job.done" not in dict(emitted)
        caplog.set_level(logging.INFO, "flows.quiet")
        for job_id in await flow.create_jobs([Given()] * 20):
            await flow.wait_for(job_id, LONG)
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("job.done")]
    assert len(lines) == 20
