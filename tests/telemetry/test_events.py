"""Events: told to whoever listens, and a listener that fails harms nobody."""

from __future__ import annotations

import asyncio
import logging

import pytest

from flows.telemetry.events import Event, Events


@pytest.fixture
def events() -> Events:
    """Make events with a logger of their own."""
    return Events(logging.getLogger("flows.tests"))


def test_listeners_hear_until_they_stop(events: Events) -> None:
    """Each listener hears each event with its fields, in order, until it stops."""
    first: list[Event] = []
    second: list[Event] = []
    stop = events.subscribe(first.append)
    events.subscribe(second.append)
    events.emit("a", queue="work")
    stop()
    events.emit("b")
    assert first == [Event("a", {"queue": "work"})]
    assert second == [Event("a", {"queue": "work"}), Event("b")]
    assert str(first[0]) == "a queue='work'"


def test_a_listener_that_fails(events: Events, caplog: pytest.LogCaptureFixture) -> None:
    """An error in a listener is logged and reaches neither the other listeners nor who emits."""
    heard: list[Event] = []

    def failing(_event: Event) -> None:
        raise RuntimeError("broken listener")

    events.subscribe(failing)
    events.subscribe(heard.append)
    events.emit("a")
    assert len(heard) == 1
    assert "broken listener" in caplog.text


def test_a_listener_may_stop_while_it_hears(events: Events) -> None:
    """A listener that stops itself does not keep the next one from hearing."""
    heard: list[str] = []

    def once(event: Event) -> None:
        heard.append(event.name)
        stop()

    stop = events.subscribe(once)
    events.subscribe(lambda event: heard.append(event.name))
    events.emit("a")
    events.emit("b")
    assert heard == ["a", "a", "b"]


@pytest.mark.parametrize(
    ("name", "level"), [("job.failed", "WARNING"), ("worker.started", "INFO"), ("job.claimed", "DEBUG")]
)
def test_levels(events: Events, caplog: pytest.LogCaptureFixture, name: str, level: str) -> None:
    """What is wrong is a warning, what a flow does is told at INFO, and what jobs do at DEBUG."""
    with caplog.at_level(logging.DEBUG, "flows.tests"):
        events.emit(name, queue="work")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [(level, f"{name} queue='work'")]


async def test_waiting_for_an_event(events: Events) -> None:
    """wait_for returns the next event of that name with these fields; then, or cancelled, it listens no more."""
    waiting = asyncio.create_task(events.wait_for("a", queue="work"))
    given_up = asyncio.create_task(events.wait_for("c"))
    await asyncio.sleep(0)
    events.emit("b", queue="work")
    events.emit("a", queue="other")
    events.emit("a", queue="work", number=1)
    events.emit("a", queue="work", number=2)
    assert (await waiting).fields == {"queue": "work", "number": 1}
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert events._listeners == []
