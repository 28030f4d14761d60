"""A service that ends without being stopped is told of and begins again, after a pause; a stopped one stays stopped."""

from __future__ import annotations

import asyncio
import logging

import pytest

from flows.telemetry import service
from flows.telemetry.events import Event, Events
from flows.telemetry.service import LONGEST_PAUSE, Pause, Service
from tests.waiting import until


class Mortal:
    """Work that begins as often as it is asked to, and ends as the test says."""

    def __init__(self, *ends: BaseException | None) -> None:
        self.ends = list(ends)
        self.begun = 0

    async def work(self) -> None:
        """End at once while there are ends left, then run for ever."""
        self.begun += 1
        if not self.ends:
            await asyncio.Event().wait()
        if (end := self.ends.pop(0)) is not None:
            raise end


def told() -> tuple[Events, list[Event]]:
    """Return events, and the list of those that are emitted."""
    events, found = Events(logging.getLogger("flows.test")), list[Event]()
    events.subscribe(found.append)
    return events, found


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the first pause short."""
    monkeypatch.setattr(service, "FIRST_PAUSE", 0.01)


@pytest.mark.usefixtures("short")
async def test_one_that_dies_begins_again() -> None:
    """Whether it raised, returned or was cancelled, with the reason; once it lives, it is left alone."""
    mortal, (events, found) = Mortal(RuntimeError("no ink"), None, asyncio.CancelledError()), told()
    living = Service("printer", mortal.work, events)
    living.start()
    living.start()
    await until(lambda: mortal.begun == 4)
    await living.stop()
    await living.stop()
    assert [(event.name, event.fields["service"], event.fields["error"]) for event in found] == [
        ("service.died", "printer", "RuntimeError('no ink')"),
        ("service.died", "printer", "'it has returned'"),
        ("service.died", "printer", "it was cancelled"),
    ]
    assert mortal.begun == 4


async def test_one_that_is_stopped_while_it_pauses() -> None:
    """It does not begin again, and nothing is told."""
    mortal, (events, found) = Mortal(RuntimeError("no ink")), told()
    living = Service("printer", mortal.work, events)
    living.start()
    await until(lambda: living._timer is not None)
    await living.stop()
    assert living._timer is not None
    assert living._timer.cancelled()
    assert (mortal.begun, found) == (1, [])


def test_pauses_grow_until_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """They double up to the longest, and are short again after a life that was longer than that."""
    now = 0.0
    monkeypatch.setattr("flows.telemetry.service.time.monotonic", lambda: now)
    pause = Pause()
    pauses = []
    for _ in range(9):
        pause.began()
        pauses.append(pause.next())
    assert pauses == [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    pause.began()
    now = LONGEST_PAUSE + 1
    assert pause.next() == 0.5
