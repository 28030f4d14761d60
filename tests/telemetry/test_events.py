"""Events: told to whoever listens, and a listener or a logger that fails harms nobody."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from flows import DeclarationError, ValidationError
from flows.telemetry.events import Event, Events


@pytest.fixture
def events() -> Events:
    """Make events with a logger of their own."""
    return Events(logging.getLogger("flows.tests"))


def test_listeners_hear_until_they_stop(events: Events) -> None:
    """Each listener hears each event with its fields, in order, until it stops, which may be said twice."""
    first: list[Event] = []
    second: list[Event] = []
    stop = events.subscribe(first.append)
    events.subscribe(second.append)
    again = events.subscribe(second.append)
    again()
    again()
    events.emit("a", queue="work")
    stop()
    events.emit("b")
    assert first == [Event("a", {"queue": "work"})]
    assert second == [Event("a", {"queue": "work"}), Event("b")]
    assert str(first[0]) == "a queue='work'"


class Listening:
    """An object with an async method, and async itself."""

    async def hear(self, event: Event) -> None:
        """Hear an event."""

    async def __call__(self, event: Event) -> None:
        """Hear an event."""


async def hear(number: int, event: Event) -> None:
    """Hear an event."""


def yielding(_event: Event) -> Iterator[None]:
    """Hear nothing, since nobody runs a generator."""
    yield


async def yielding_late(_event: Event) -> AsyncIterator[None]:
    """Hear nothing either."""
    yield


def test_a_listener_for_some_events_hears_those_alone(events: Events) -> None:
    """What neither it nor anybody else wants is not even made, and a name that no event has is refused."""
    heard: list[Event] = []
    stop = events.subscribe(heard.append, "job.failed", "job.poison")
    assert events.wants("job.failed")
    assert not events.wants("job.done")
    events.emit("job.done", queue="work")
    events.emit("job.failed", queue="work")
    assert [event.name for event in heard] == ["job.failed"]
    stop()
    with pytest.raises(ValidationError, match=r"there is no event 'job\.fail': did you mean 'job\.failed'"):
        events.subscribe(heard.append, "job.fail")


@pytest.mark.parametrize(
    "listener",
    [
        yielding,
        yielding_late,
        Listening().hear,
        Listening(),
        functools.partial(hear, 1),
        AsyncMock(),
        None,
        "print",
        lambda: None,
        lambda _event, _more: None,
    ],
)
def test_what_would_never_hear_is_refused(events: Events, listener: Any) -> None:
    """An async listener, and what cannot be called with an event, are refused where they are handed over."""
    with pytest.raises(DeclarationError, match="listener"):
        events.subscribe(listener)


@pytest.mark.parametrize("listener", [Mock(), MagicMock(), print, functools.partial(print, "x"), [].append])
def test_whatever_takes_an_event_may_listen(events: Events, listener: Any) -> None:
    """Stand-ins, builtins, partials and methods hear events."""
    events.subscribe(listener)
    events.emit("a")


def test_a_listener_that_fails_is_told_of_once(events: Events, caplog: pytest.LogCaptureFixture) -> None:
    """Its error is logged once, with its traceback, and reaches neither the other listeners nor who emits."""
    heard: list[Event] = []

    def failing(_event: Event) -> None:
        raise RuntimeError("broken listener")

    events.subscribe(failing)
    events.subscribe(heard.append)
    for _ in range(3):
        events.emit("a")
    assert [event.name for event in heard] == ["listener.failed", "a", "a", "a"]
    assert heard[0].fields["listener"] == failing.__qualname__
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().endswith("RuntimeError: broken listener")
    assert "in failing" in record.getMessage()


def test_a_listener_that_returns_a_coroutine_is_told_of(events: Events, caplog: pytest.LogCaptureFixture) -> None:
    """A lambda around an async function cannot be seen through before it is called."""
    events.subscribe(lambda event: hear(1, event))  # type: ignore[arg-type, return-value]
    events.emit("a")
    assert "returns an awaitable, which nobody awaits" in caplog.text


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
    ("name", "level"),
    [("job.failed", "ERROR"), ("job.retried", "WARNING"), ("flow.connected", "INFO"), ("job.claimed", "DEBUG")],
)
def test_levels(events: Events, caplog: pytest.LogCaptureFixture, name: str, level: str) -> None:
    """Each event is logged at the level of its row, and knows it."""
    heard: list[Event] = []
    events.subscribe(heard.append)
    with caplog.at_level(logging.DEBUG, "flows.tests"):
        events.emit(name, queue="work")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [(level, f"{name} queue='work'")]
    assert [logging.getLevelName(event.level) for event in heard] == [level]


def test_nothing_is_made_that_nobody_wants(events: Events) -> None:
    """Below the logger's level and without a listener, an event is not wanted."""
    logging.getLogger("flows.tests").setLevel(logging.WARNING)
    assert not events.wants("job.done")
    assert events.wants("job.failed")
    stop = events.subscribe(print)
    assert events.wants("job.done")
    stop()
    assert not events.wants("job.done")


def fail(events: Events, number: int, error: str = "KeyError", line: int = 7) -> None:
    """Emit the event of a job that has failed."""
    trace = f'Traceback (most recent call last):\n  File "a.py", line {line}, in work\n    code\n{error}: {number}\n'
    events.emit("job.failed", queue="work", job_id=str(number), error=error, message=str(number), traceback=trace)


def test_one_traceback_of_a_kind_in_a_minute(
    events: Events, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of failures that are alike the first one is logged whole; listeners get each traceback."""
    now = 100.0
    monkeypatch.setattr("flows.telemetry.seldom.time.monotonic", lambda: now)
    heard: list[Event] = []
    events.subscribe(heard.append)
    for number, (error, line) in enumerate([("KeyError", 7), ("KeyError", 7), ("KeyError", 8), ("OSError", 8)]):
        fail(events, number, error, line)
    now += 61
    fail(events, 4)
    assert ["Traceback" in record.getMessage() for record in caplog.records] == [True, False, True, True, True]
    assert caplog.records[1].getMessage() == "job.failed queue='work' job_id='1' error='KeyError' message='1'"
    assert all("Traceback" in str(event.fields["traceback"]) for event in heard)
    assert "Traceback" not in str(heard[0])


def test_an_event_that_is_emitted_seldom(events: Events) -> None:
    """Kinds of one event are told apart, and so are events of one kind."""
    heard: list[Event] = []
    events.subscribe(heard.append)
    for name, kind in [("job.misfit", "a"), ("job.misfit", "a"), ("job.misfit", "b"), ("worker.unable", "a")]:
        events.emit_seldom((kind,), name, queue=kind)
    assert [(event.name, event.fields["queue"]) for event in heard] == [
        ("job.misfit", "a"),
        ("job.misfit", "b"),
        ("worker.unable", "a"),
    ]


class BrokenLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines cannot be made."""

    def process(self, msg: Any, kwargs: Any) -> Any:  # noqa: ARG002 - as logging calls it
        """Fail."""
        raise RuntimeError("broken logger")


def test_a_logger_that_fails_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever emits goes on, listeners hear, and another logger says what became of the lines."""
    events = Events(BrokenLogger(logging.getLogger("flows.tests")))
    heard: list[Event] = []
    events.subscribe(heard.append)
    for _ in range(3):
        events.emit("job.failed")
    assert len(heard) == 3
    (record,) = caplog.records
    assert record.exc_info is not None
    assert "broken logger" in str(record.exc_info[1])


async def test_waiting_for_an_event(events: Events) -> None:
    """wait_for returns the next event of that name with these fields; then, or cancelled, it listens no more."""
    waiting = asyncio.create_task(events.wait_for("job.claimed", queue="work"))
    given_up = asyncio.create_task(events.wait_for("job.done"))
    await asyncio.sleep(0)
    events.emit("job.lost", queue="work")
    events.emit("job.claimed", queue="other")
    events.emit("job.claimed", queue="work", count=1)
    events.emit("job.claimed", queue="work", count=2)
    assert (await waiting).fields == {"queue": "work", "count": 1}
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert events._listeners == []


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("job.finished", {}, "there is no event 'job.finished'"),
        ("job.failing", {}, "did you mean 'job.failed'"),
        (5, {}, "there is no event 5"),
        ("job.failed", {"jobid": "x"}, "has no field 'jobid'; it has attempt, error, job_id"),
    ],
)
async def test_what_would_never_come_is_refused(
    events: Events, name: Any, fields: dict[str, object], said: str
) -> None:
    """Nobody waits for an event that does not exist, or for a field that it never has."""
    with pytest.raises(ValidationError, match=said):
        await events.wait_for(name, **fields)
