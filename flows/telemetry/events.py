"""Emits the events of one flow to its logger and to listeners."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import inspect
import logging
import re
import threading
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from flows.errors import DeclarationError, ValidationError
from flows.telemetry.event_table import EVENTS, EventRow
from flows.telemetry.measured import Created, Listeners, Measured
from flows.telemetry.outage import Outage
from flows.telemetry.seldom import Seldom
from flows.telemetry.sink import sink_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.loggers import AnyLogger

_log = logging.getLogger("flows.telemetry")

#: An event that the table does not have, as tests emit them.
_UNLISTED: Final = EventRow(logging.DEBUG, frozenset())


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a stable dotted name and flat fields."""

    name: str
    fields: dict[str, object] = field(default_factory=dict[str, object])

    def __str__(self) -> str:
        """Return the event as one line; a traceback stands in the fields only."""
        return " ".join([self.name, *(f"{name}={value!r}" for name, value in self.line().items())])

    @property
    def level(self) -> int:
        """The level at which it is logged, such as `logging.WARNING`."""
        return EVENTS.get(self.name, _UNLISTED).level

    def line(self) -> dict[str, object]:
        """Return the fields that stand on one line."""
        return {name: value for name, value in self.fields.items() if name != "traceback"}


class _Subscription:
    """A listener, the names of the events that it is for (none: all), and whether it was told of that it raises."""

    __slots__ = ("failed", "listener", "names")

    def __init__(self, listener: Callable[[Event], None], names: tuple[str, ...]) -> None:
        self.listener = listener
        self.names = frozenset(names)
        self.failed = False


class Events:
    """Emits events to the logger and to all listeners; one that raises is told of once, and stops nothing.

    Args:
        logger: Where events are logged, as `FlowOptions.logger` says.
    """

    def __init__(self, logger: AnyLogger) -> None:
        self._sink = sink_of(logger)
        self._listeners: list[_Subscription] = []
        self._tracebacks, self._seldom = Seldom(), Seldom()
        self._logger_failed = False
        self.outage: Final = Outage(self.emit)
        self.attempts: Final = Listeners[Measured]()
        self.creations: Final = Listeners[Created]()

    def wants(self, name: str) -> bool:
        """Return whether an event of this name would be logged or heard: else it need not be made."""
        return self._heard(name) or self._enabled(EVENTS.get(name, _UNLISTED).level)

    def emit(self, name: str, **fields: object) -> None:
        """Log an event and call all listeners with it."""
        level = EVENTS.get(name, _UNLISTED).level
        logged = self._enabled(level)
        if not logged and not self._heard(name):
            return
        event = Event(name, fields)
        if logged:
            self._log(level, event)
        self._tell_all(event)

    def emit_seldom(self, kind: tuple[object, ...], name: str, **fields: object) -> None:
        """Emit an event, unless one of its name and of this kind was emitted within the last minute."""
        if self._seldom.is_due(name, *kind):
            self.emit(name, **fields)

    def emit_now(self, loop: asyncio.AbstractEventLoop, name: str, **fields: object) -> None:
        """Emit an event from another thread while the loop stands still: listeners are called when it runs again.

        It is logged at once, from a thread that nobody waits for: what blocks the loop may hold the logger's lock.
        """
        event = Event(name, fields)
        with contextlib.suppress(RuntimeError):  # no thread can be started, or the loop is closed
            threading.Thread(target=self._log_if_enabled, args=(event,), name="flows-logger", daemon=True).start()
            loop.call_soon_threadsafe(self._tell_all, event)

    def subscribe(self, listener: Callable[[Event], None], *names: str) -> Callable[[], None]:
        """Call `listener` with events from now on, in the event loop, and return the function that stops that.

        Args:
            listener: A plain function.
            names: Those of the events that it is called with; none: all. Events that nobody wants are not even made.

        Raises:
            DeclarationError: it is async, or cannot be called with an event.
            ValidationError: there is no such event.
        """
        _check_listener(listener)
        for name in names:
            _check_awaited(name, {})
        subscription = _Subscription(listener, names)
        self._listeners.append(subscription)

        def stop() -> None:
            if subscription in self._listeners:
                self._listeners.remove(subscription)

        return stop

    async def wait_for(self, name: str, **fields: object) -> Event:
        """Return the next event of this name that has these fields.

        Raises:
            ValidationError: there is no such event, or it has no such field.
        """
        _check_awaited(name, fields)
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Event] = loop.create_future()

        def answer(event: Event) -> None:
            if not found.done():
                found.set_result(event)

        def listener(event: Event) -> None:
            if fields.items() <= event.fields.items():
                loop.call_soon_threadsafe(answer, event)  # the flow may be open in another loop than this one

        stop = self.subscribe(listener, name)
        try:
            return await found
        finally:
            stop()

    def _log_if_enabled(self, event: Event) -> None:
        if self._enabled(event.level):
            self._log(event.level, event)

    def _tell_all(self, event: Event) -> None:
        for subscription in tuple(self._listeners):
            if not subscription.names or event.name in subscription.names:
                self._tell(subscription, event)

    def _heard(self, name: str) -> bool:
        return any(not subscription.names or name in subscription.names for subscription in self._listeners)

    def _enabled(self, level: int) -> bool:
        try:
            return self._sink.enabled(level)
        except Exception as error:  # noqa: BLE001 - a logger may be user code
            self._logger_fails(error)
            return False

    def _log(self, level: int, event: Event) -> None:
        trace = event.fields.get("traceback")
        shown = trace if isinstance(trace, str) and level >= logging.ERROR and self._is_first(event, trace) else ""
        try:
            self._sink.write(level, event.name, event.line(), shown, event)
        except Exception as error:  # noqa: BLE001 - a logger may be user code
            self._logger_fails(error)

    def _is_first(self, event: Event, trace: str) -> bool:
        """Return whether no traceback of this kind was logged in the last minute."""
        frames = re.findall(r'^ +File ".*", line \d+.*$', trace, flags=re.MULTILINE)
        return self._tracebacks.is_due(event.name, event.fields.get("queue"), event.fields.get("error"), *frames[-1:])

    def _tell(self, subscription: _Subscription, event: Event) -> None:
        name = _name(subscription.listener)
        try:
            answer: object = cast("Callable[[Event], object]", subscription.listener)(event)
            _check_answer(name, answer)
        except Exception as error:  # noqa: BLE001 - a listener is user code
            if not subscription.failed:
                subscription.failed = True
                self.emit("listener.failed", listener=name, event=event.name, **described(error))

    def _logger_fails(self, error: Exception) -> None:
        """Say once, by another logger, that the flow's own raises."""
        if not self._logger_failed:
            self._logger_failed = True
            _log.error("the logger of the flow raises, and its lines are lost", exc_info=error)


def described(error: BaseException) -> dict[str, str]:
    """Return the fields `error` and `traceback` of an event about an exception."""
    return {"error": repr(error), "traceback": "".join(traceback.format_exception(error))}


_PLAIN = "give a plain function; it may start a task, or put the event into an asyncio.Queue"


def _check_listener(listener: Any) -> None:
    if not callable(listener):
        raise DeclarationError(f"the listener {listener!r} cannot be called: give a function that takes an Event")
    if inspect.iscoroutinefunction(listener) or inspect.iscoroutinefunction(type(listener).__call__):
        raise DeclarationError(f"the listener {_name(listener)} is async, and nobody would await it: {_PLAIN}")
    if inspect.isgeneratorfunction(listener) or inspect.isasyncgenfunction(listener):
        raise DeclarationError(f"the listener {_name(listener)} is a generator, and nobody would run it: {_PLAIN}")
    try:
        inspect.signature(listener).bind(None)
    except TypeError as error:
        raise DeclarationError(f"the listener {_name(listener)} must take one argument, the event: {error}") from error
    except ValueError:
        return  # a builtin without a signature


def _check_awaited(name: object, fields: dict[str, object]) -> None:
    row = EVENTS.get(name) if isinstance(name, str) else None
    if row is None:
        close = difflib.get_close_matches(str(name), EVENTS, 1)
        hint = f"did you mean {close[0]!r}?" if close else "docs/logging.md lists them"
        raise ValidationError(f"there is no event {name!r}: {hint}")
    for unknown in fields.keys() - row.fields:
        raise ValidationError(f"the event {name!r} has no field {unknown!r}; it has {', '.join(sorted(row.fields))}")


def _name(listener: object) -> str:
    return getattr(listener, "__qualname__", None) or type(listener).__qualname__


def _check_answer(name: str, answer: object) -> None:
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()  # else Python warns of it as well
        raise DeclarationError(f"{name} returns an awaitable, which nobody awaits: {_PLAIN}")
