"""Writes events to whichever logger a flow was given."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from flows.loggers import is_structlog

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sink(Protocol):
    """Where events are written as lines."""

    def enabled(self, level: int) -> bool:
        """Return whether a line of this level would go anywhere."""
        ...

    def write(self, level: int, name: str, fields: Mapping[str, object], traceback: str, event: object) -> None:
        """Write an event by its name and fields, and below it a traceback if there is one."""
        ...


def sink_of(logger: Any) -> Sink:
    """Return the sink of a logger that `check_logger` has let through."""
    return _StructlogSink(logger) if is_structlog(logger) else _StandardSink(logger)


class _StandardSink:
    """A logger of `logging`: one line, made when a handler wants it; the record has the event as `flows_event`."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self.enabled = logger.isEnabledFor

    def write(self, level: int, name: str, fields: Mapping[str, object], traceback: str, event: object) -> None:
        template = _template(name, tuple(fields), with_traceback=bool(traceback))
        more = (traceback.rstrip(),) if traceback else ()
        _check_written(self._logger.log(level, template, *fields.values(), *more, extra={"flows_event": event}))


@cache
def _template(name: str, fields: tuple[str, ...], *, with_traceback: bool) -> str:
    """Return the line with places for the values: tools such as Sentry group lines by it."""
    return " ".join([name, *(f"{field}=%r" for field in fields)]) + ("\n%s" if with_traceback else "")


class _StructlogSink:
    """A logger of structlog: the event's name, and its fields as keywords."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def enabled(self, level: int) -> bool:
        logger: Any = self._logger.bind()  # what `get_logger` returns becomes a logger when it is first bound
        ask = getattr(logger, "isEnabledFor", None) or getattr(logger, "is_enabled_for", None)
        return True if ask is None else bool(ask(level))

    def write(self, level: int, name: str, fields: Mapping[str, object], traceback: str, event: object) -> None:
        del event
        values = {_KEYWORDS.get(field, field): value for field, value in fields.items()}
        if traceback:
            values["exception"] = traceback.rstrip()
        _check_written(self._logger.log(level, name, **values))


def _check_written(answer: object) -> None:
    """Raise TypeError where a logger is async: nobody would await it, and its lines would be lost without a word."""
    if answer is not None and inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()  # else Python warns of it as well
        raise TypeError("its `log` is async, and nobody awaits it: give a logger that writes at once")


#: structlog has an `event` of its own, and the records of logging, to which it may pass on, a `message`.
_KEYWORDS: Final = {"event": "on_event", "message": "error_message"}
