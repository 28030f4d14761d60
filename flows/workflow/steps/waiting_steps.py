"""The part of `Step` that waits: for a time, for an event, for the answer of a person; no worker waits with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from flows.errors import ValidationError
from flows.model.arguments import check_text
from flows.model.creation.keys import check_key
from flows.model.duration import LONGEST, as_timedelta, in_seconds
from flows.model.runs.shape import Shape
from flows.model.runs.step_record import check_step_name
from flows.workflow.steps.step_waits import StepWaits

if TYPE_CHECKING:
    from flows.workflow.event import WorkflowEvent
    from flows.workflow.steps.step_host import StepHost

AnswerT = TypeVar("AnswerT")
EventT = TypeVar("EventT")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class WaitingSteps:
    """The steps of a run that wait."""

    def __init__(self, host: StepHost) -> None:
        self._host = host

    @cached_property
    def _waits(self) -> StepWaits:
        return StepWaits(self._host)

    async def sleep(self, name: str, time: timedelta | float) -> None:
        """Return so long after the step was first asked for, by the server's clock; no worker waits meanwhile.

        Args:
            name: The step's name.
            time: A timedelta, or seconds; nothing and less is over at once.
        """
        await self._waits.sleep(check_step_name(name), None, in_ms("time", time))

    async def sleep_until(self, name: str, until: datetime) -> None:
        """Return at a time of the server's clock; no worker waits meanwhile.

        Args:
            name: The step's name.
            until: An aware datetime; one that has passed is over at once.
        """
        if not isinstance(until, datetime) or until.utcoffset() is None:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"until={until!r:.80}: give a datetime with a time zone")
        await self._waits.sleep(check_step_name(name), int((until - _EPOCH) / timedelta(milliseconds=1)), 0)

    @overload
    async def wait_for_event(
        self,
        name: str,
        event: WorkflowEvent[EventT],
        *,
        key: str | None = None,
        timeout: None = None,
        since: timedelta | float = 0,
    ) -> EventT: ...
    @overload
    async def wait_for_event(
        self,
        name: str,
        event: WorkflowEvent[EventT],
        *,
        key: str | None = None,
        timeout: timedelta | float,
        since: timedelta | float = 0,
    ) -> EventT | None: ...
    async def wait_for_event(
        self,
        name: str,
        event: WorkflowEvent[Any],
        *,
        key: str | None = None,
        timeout: timedelta | float | None = None,
        since: timedelta | float = 0,
    ) -> Any:
        """Wait for an event without a worker, and return what was sent; None when the time is over.

        An event that was sent before the wait, since the run's creation, counts; one that an earlier step of the run
        has taken does not count again.

        Args:
            name: The step's name.
            event: The event.
            key: Of which key; None: what is sent to this run alone, by `handle.send`.
            timeout: So long is waited; None: for ever.
            since: How long before the run's creation it may have been sent.

        Raises:
            ValidationError: what was sent is not of the event's type.
        """
        if key is not None:
            check_key("key", check_text("key", key))
        return await self._waits.event(
            check_step_name(name),
            event.name,
            self._host.run_id if key is None else key,
            event.shape,
            in_ms("since", since),
            optional_ms("timeout", timeout),
        )

    @overload
    async def wait_for_input(
        self, name: str, model: type[AnswerT], *, prompt: str = "", timeout: None = None
    ) -> AnswerT: ...
    @overload
    async def wait_for_input(
        self, name: str, model: type[AnswerT], *, prompt: str = "", timeout: timedelta | float
    ) -> AnswerT | None: ...
    async def wait_for_input(
        self, name: str, model: Any, *, prompt: str = "", timeout: timedelta | float | None = None
    ) -> Any:
        """Wait for the answer of a person without a worker, and return it; None when the time is over.

        Args:
            name: The step's name: by it `handle.provide` gives the answer.
            model: The type of the answer. One of another type does not count: the step waits on.
            prompt: What is asked.
            timeout: So long is waited; None: for ever.
        """
        shape: Shape[Any] = Shape(model, f"the answer to {check_step_name(name)!r}")
        return await self._waits.input(name, shape, check_text("prompt", prompt), optional_ms("timeout", timeout))


def host_of(step: WaitingSteps) -> StepHost:
    """Return what steps stand on, for bodies of the library's own."""
    return step._host  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - users have no use for it


def in_ms(what: str, value: object) -> int:
    """Return a time in milliseconds, at least 0.

    Raises:
        ValidationError: it is no timedelta and no number of seconds, or longer than a century.
    """
    time: object = as_timedelta(value)
    if not isinstance(time, timedelta):
        raise ValidationError(f"{what}={value!r:.80}: give a datetime.timedelta, or seconds as a number")
    if time > LONGEST:
        raise ValidationError(f"{what}={in_seconds(time)} is too long: give at most {in_seconds(LONGEST)}")
    return max(0, int(time / timedelta(milliseconds=1)))


def optional_ms(what: str, value: object) -> int | None:
    """Return a time that may be left out in milliseconds, as `in_ms` does."""
    return None if value is None else in_ms(what, value)
