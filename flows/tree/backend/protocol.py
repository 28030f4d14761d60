"""`Backend`: where the functions of tasks run; `Executor`: where whole executions do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import timedelta

    from flows.model.job import JobError
    from flows.tree.current import CurrentTask
    from flows.tree.declare import Task
    from flows.tree.storage.protocol import Token

#: What a function has asked for, beside failing: `again` and `later` with or without a time, `never` again, or that the
#: whole execution is cancelled.
Wish: TypeAlias = Literal["", "again", "later", "never", "cancel"]


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt at a task.

    Attributes:
        view: The fields of its function's view, as a JSON object.
        timeout: How long it may take, in seconds.
        task: The task itself, for a backend in this process.
        current: What its function sees of the attempt, for the same.
    """

    instance_id: str
    generator: str
    execution: str
    path: str
    attempt: int
    view: bytes
    timeout: float | None
    task: Task[Any] = field(repr=False)
    current: CurrentTask = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt has ended: with a result as JSON, or an error.

    Attributes:
        classes: The qualified names of the error's class and of those it descends from.
        wish: What the function has asked for.
        after: After how long, where it says.
    """

    result: bytes | None = None
    error: JobError | None = None
    classes: tuple[str, ...] = ()
    wish: Wish = ""
    after: timedelta | None = None


class Returned(Protocol):
    """An outcome of what was handed over, which may come more than once."""

    instance_id: str
    execution: str
    path: str
    attempt: int
    outcome: Outcome

    async def ack(self) -> None:
        """Say that it has been taken: it need not come again."""
        ...


class Backend(Protocol):
    """Runs functions of tasks, here or elsewhere."""

    async def dispatch(self, order: Order) -> Outcome | None:
        """Run an order, or hand it over (None); it may be sent twice. Whoever awaits this may be cancelled."""
        ...

    def outcomes(self) -> AsyncIterator[Returned]:
        """Yield the outcomes of what was handed over, each at least once."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


class Execute(Protocol):
    """Works on an execution until it has ended: what `Trees` gives its executor."""

    def __call__(self, instance_id: str, token: Token, cancelled: Callable[[], str | None], /) -> Awaitable[None]:
        """Execute what the token's execution consists of, as far as it was not executed.

        Where this is cancelled, `cancelled` says for which reason the execution was; None: it is to go on elsewhere.
        """
        ...


class Executor(Protocol):
    """Runs executions that have been begun in the storage."""

    def bind(self, execute: Execute) -> None:
        """Take what works on an execution; called once."""
        ...

    async def start(self, instance_id: str, execution: str) -> None:
        """Let an execution be worked on, by somebody, until it has ended; it may be asked for twice."""
        ...

    async def cancel(self, instance_id: str, execution: str, reason: str) -> bool:
        """Cancel an execution; False: nobody works on it."""
        ...

    async def close(self) -> None:
        """Cancel what is worked on here, and let go of all."""
        ...
