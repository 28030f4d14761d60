"""Loggers: those of logging, adapters, stand-ins and structlog's get each event; what is none is refused."""

from __future__ import annotations

import logging
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest
import structlog

from flows import DeclarationError, Event
from flows.loggers import check_logger
from flows.telemetry.events import Events

TRACE = "Traceback (most recent call last):\nKeyError: 'x'\n"


def emit(logger: Any) -> None:
    """Emit an event of each kind of line."""
    check_logger(logger)
    events = Events(logger)
    events.emit("job.failed", queue="work", job_id="1", error="KeyError", message="100 %s", traceback=TRACE)
    events.emit("listener.failed", listener="hear", event="job.done", error="x", traceback="")
    events.emit("store.unavailable", error="away")


@pytest.mark.parametrize("adapted", [False, True])
def test_a_logger_of_logging(caplog: pytest.LogCaptureFixture, *, adapted: bool) -> None:
    """A line is made when a handler wants it; its template names the fields, so that tools can group by it."""
    logger = logging.getLogger("flows.tests")
    emit(logging.LoggerAdapter(logger, {"service": "x"}) if adapted else logger)
    first, _second, third = caplog.records
    line = "job.failed queue='work' job_id='1' error='KeyError' message='100 %s'"
    assert first.getMessage() == f"{line}\n{TRACE.rstrip()}"
    assert first.msg == "job.failed queue=%r job_id=%r error=%r message=%r\n%s"
    assert third.getMessage() == "store.unavailable error='away'"
    if not adapted:
        assert isinstance(first.flows_event, Event)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [Mock, MagicMock, lambda: Mock(spec=logging.Logger)])
def test_a_stand_in(kind: Any) -> None:
    """What tests hand over in place of a logger is called as one."""
    logger = kind()
    emit(logger)
    assert [call.args[0] for call in logger.log.call_args_list] == [logging.ERROR, logging.ERROR, logging.WARNING]


@pytest.mark.parametrize("get", [structlog.get_logger, structlog.stdlib.get_logger])
def test_a_logger_of_structlog(get: Any) -> None:
    """It gets the event's name, and the fields as keywords."""
    with structlog.testing.capture_logs() as captured:
        emit(get())
    first, second, third = captured
    assert first == {
        "event": "job.failed", "log_level": "error", "queue": "work", "job_id": "1", "error": "KeyError",
        "error_message": "100 %s", "exception": TRACE.rstrip(),
    }  # fmt: skip
    assert (second["event"], second["on_event"]) == ("listener.failed", "job.done")
    assert (third["event"], third["log_level"]) == ("store.unavailable", "warning")


def test_structlog_on_logging(caplog: pytest.LogCaptureFixture) -> None:
    """Its loggers that pass on to logging are asked for the level first."""
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    try:
        logger = structlog.stdlib.get_logger("flows.tests.structured")
        emit(logger)
        assert not Events(logger).wants("job.done")
        emit(logging.getLogger("flows.tests.other"))  # structlog has made its class this one's
    finally:
        structlog.reset_defaults()
        logging.setLoggerClass(logging.Logger)
    messages = [record.getMessage() for record in caplog.records]
    assert messages[:3] == ["job.failed", "listener.failed", "store.unavailable"]
    assert caplog.records[-1].getMessage() == "store.unavailable error='away'"


def test_structlog_that_filters() -> None:
    """What a filtering logger would drop is not made."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        events = Events(structlog.get_logger())
        assert (events.wants("job.done"), events.wants("job.failed")) == (False, True)
    finally:
        structlog.reset_defaults()


class WithoutLevels:
    """What has some of a logger's methods."""

    def info(self, text: str) -> None:
        """Log a text."""


def test_an_async_logger_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody awaits its lines: that they are lost is said once, by a logger that works."""
    logger = Mock(log=AsyncMock(), isEnabledFor=lambda _level: True)
    emit(logger)
    (told,) = caplog.records
    assert told.name == "flows.telemetry"
    assert "its `log` is async" in str(told.exc_info and told.exc_info[1])


@pytest.mark.parametrize(
    "logger",
    [structlog.PrintLogger(), logging.LoggerAdapter(None, {}), logging.LoggerAdapter(WithoutLevels(), {})],  # type: ignore[arg-type, type-var]
)
def test_what_only_looks_like_a_logger_is_refused(logger: Any) -> None:
    """What structlog writes to is no logger, and an adapter is one if what it adapts is."""
    with pytest.raises(DeclarationError, match=r"give (it )?a logging\.Logger"):
        check_logger(logger)


@pytest.mark.parametrize("logger", ["myapp", print, 5, logging, logging.Logger, WithoutLevels(), {}, ""])
def test_what_is_no_logger_is_refused(logger: Any) -> None:
    """It is refused when the flow is declared, and the error says what to give."""
    with pytest.raises(DeclarationError, match=r"give (a logging\.Logger|logging\.getLogger)"):
        check_logger(logger)
